/** The smallest table of Lua functions with which a test gets hold of a Lua function, and the types that reports use. */
import { addressTypes } from '../../src/lua/bindings/addresses.ts'
import type { Bindings } from '../../src/lua/bindings/table.ts'
import type { LuaFunction } from '../../src/lua/lua-value.ts'

export function createBindingsForTest(onReport: (report: LuaFunction) => void): Bindings {
  return {
    functions: [
      {
        name: 'setReport',
        usage: 'setReport(function)',
        summary: 'Hands the function to the test.',
        scope: 'registration',
        run: (call) => onReport(call.function(1, 'function')),
      },
    ],
    types: addressTypes(),
  }
}
