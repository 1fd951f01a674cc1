/**
 * Lua 5.1's math functions that the engine lacks or has for 32-bit integers. Lives on the thread of its Lua state; the
 * state of math.random belongs to the Lua state.
 */
import { lua } from '../fengari.ts'
import type { HostCode, LuaThread } from '../fengari-types.ts'
import { scaleByPowerOfTwo } from '../numbers.ts'
import { extendLibrary, pushLibrary, raiseArgument, raise, removeFields } from '../stack.ts'

export function installMath(L: LuaThread): void {
  extendLibrary(L, 'math', {
    pow: binary((x, y) => x ** y),
    mod: binary(remainder),
    fmod: binary(remainder),
    atan2: binary(Math.atan2),
    ldexp: binary((x, exponent) => scaleByPowerOfTwo(x, Math.trunc(exponent))),
    log10: unary(Math.log10),
    sinh: unary(Math.sinh),
    cosh: unary(Math.cosh),
    tanh: unary(Math.tanh),
    frexp,
    ...randomFunctions(),
  })
  // Libraries look for these to find out whether they run in Lua 5.3, whose integers we do not have.
  pushLibrary(L, 'math')
  removeFields(L, ['type', 'tointeger', 'ult', 'maxinteger', 'mininteger'])
  lua.lua_pop(L, 1)
}

function unary(operation: (x: number) => number): HostCode {
  return (L) => {
    lua.lua_pushnumber(L, operation(lua.luaL_checknumber(L, 1)))
    return 1
  }
}

function binary(operation: (x: number, y: number) => number): HostCode {
  return (L) => {
    lua.lua_pushnumber(L, operation(lua.luaL_checknumber(L, 1), lua.luaL_checknumber(L, 2)))
    return 1
  }
}

/** C's fmod: the sign of the first. */
function remainder(x: number, y: number): number {
  return x % y
}

/** m and e so that x = m × 2^e with 0.5 ≤ |m| < 1. */
function frexp(L: LuaThread): number {
  const x = lua.luaL_checknumber(L, 1)
  let exponent = 0
  let mantissa = x
  if (x !== 0 && Number.isFinite(x)) {
    exponent = Math.floor(Math.log2(Math.abs(x))) + 1
    mantissa = scaleByPowerOfTwo(x, -exponent)
    // log2 may round to the next power.
    if (Math.abs(mantissa) >= 1) {
      mantissa /= 2
      exponent += 1
    } else if (Math.abs(mantissa) < 0.5) {
      mantissa *= 2
      exponent -= 1
    }
  }
  lua.lua_pushnumber(L, mantissa)
  lua.lua_pushnumber(L, exponent)
  return 2
}

/** Unpredictable until math.randomseed is called, and from then on the same for the same seed. */
function randomFunctions(): Readonly<Record<string, HostCode>> {
  let next = Math.random
  return {
    randomseed(L) {
      next = seededGenerator(lua.luaL_checknumber(L, 1))
      return 0
    },
    random(L) {
      const fraction = next()
      const count = lua.lua_gettop(L)
      if (count === 0) {
        lua.lua_pushnumber(L, fraction)
        return 1
      }
      if (count > 2) raise(L, 'wrong number of arguments')
      const low = count === 1 ? 1 : Math.floor(lua.luaL_checknumber(L, 1))
      const high = Math.floor(lua.luaL_checknumber(L, count))
      if (!(low <= high)) raiseArgument(L, count, 'interval is empty')
      lua.lua_pushnumber(L, Math.min(high, low + Math.floor(fraction * (high - low + 1))))
      return 1
    },
  }
}

/** xorshift with 2 × 32 bits of state (G. Marsaglia, "Xorshift RNGs", 2003); no use for secrets. */
function seededGenerator(seed: number): () => number {
  const view = new DataView(new ArrayBuffer(8))
  view.setFloat64(0, seed)
  let x = view.getUint32(0) ^ 0x9e3779b9
  let y = view.getUint32(4) ^ 0x7f4a7c15
  if (x === 0 && y === 0) y = 1
  const step = (): number => {
    const t = x ^ (x << 10)
    x = y
    y = y ^ (y >>> 10) ^ t ^ (t >>> 13)
    return y >>> 0
  }
  for (let round = 0; round < 16; round++) step()
  // 53 bits: 27 from one step, 26 from the next.
  return () => ((step() >>> 5) * 2 ** 26 + (step() >>> 6)) / 2 ** 53
}
