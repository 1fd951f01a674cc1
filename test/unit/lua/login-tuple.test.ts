import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { loginReport as reportOf } from '../../support/login-reports.ts'
import { createBindingsForTest } from '../../support/lua-bindings.ts'
import type { LoginReport } from '../../../src/login/login-report.ts'
import { createLoginTuples, LOGIN_TUPLE_FIELDS } from '../../../src/lua/bindings/login-tuple.ts'
import { createLuaState } from '../../../src/lua/lua-state.ts'
import { createRunContext } from '../../../src/lua/run-context.ts'
import type { LuaFunction, LuaValue } from '../../../src/lua/lua-value.ts'

const devices = { parse: (id: string, protocol: string) => ({ 'os.family': `${protocol} ${id}` }) }

/** What a Lua function body returns, given the report as `lt`. */
function evaluate(body: string, report: LoginReport): readonly LuaValue[] {
  let entry: LuaFunction | undefined
  const bindings = createBindingsForTest((fn) => (entry = fn))
  const state = createLuaState({
    ...bindings,
    mode: 'policy',
    clock: () => 0,
    moduleFolder: '.',
    print: () => undefined,
  })
  const loaded = state.runText(`setReport(function(lt) ${body} end)`, 'test')
  assert.ok(!(loaded instanceof Promise) && loaded.ok, JSON.stringify(loaded))
  assert.ok(entry !== undefined)
  const push = createLoginTuples(state, devices)
  const outcome = state.run(createRunContext('report', 'report', 1_700_000_000), entry, (L) =>
    push(L, report),
  )
  assert.ok(!(outcome instanceof Promise) && outcome.ok, JSON.stringify(outcome))
  return outcome.values
}

describe('a LoginTuple', () => {
  const cases: readonly (readonly [body: string, fields: object, expected: readonly LuaValue[]])[] = [
    ['return lt.login, lt.success, lt.t', {}, ['ann', true, 1000.5]],
    ['return lt.remote:tostring(), lt.remote:isIPv4()', {}, ['192.0.2.1', true]],
    ['return lt.remote:tostring(), lt.remote:isIPv6()', { remote: '2001:db8::1' }, ['2001:db8::1', true]],
    ['return lt.attrs.a, lt.attrs_mv.b[2]', { attrs: { a: 'x', b: ['y', 'z'] } }, ['x', 'z']],
    ['return lt.pwhash, lt.tls, lt.fail_type', {}, ['', false, '']],
    ['return lt.no_such_field', {}, [undefined]],
    ['return lt[1], lt[true]', {}, [undefined, undefined]],
    ['lt.login = "bob" return lt.login', {}, ['bob']],
    ['lt.login = nil return lt.login', {}, [undefined]],
    ['local a = lt.login lt.login = nil return a, lt.login', {}, ['ann', undefined]],
    ['lt.mine = {1} return lt.mine[1]', {}, [1]],
    ['return lt.attrs == lt.attrs', {}, [true]],
    ['lt.attrs.seen = "yes" return lt.attrs.seen', {}, ['yes']],
    ['return lt.device_attrs["os.family"]', { device_id: 'x', protocol: 'imap' }, ['imap x']],
    [
      'return lt.device_attrs["os.family"]',
      { device_id: 'x', device_attrs: { 'os.family': 'sent' } },
      ['sent'],
    ],
    ['return next(lt.device_attrs)', {}, [undefined]],
  ]
  for (const [body, fields, expected] of cases) {
    test(`with ${JSON.stringify(fields)}: ${body}`, () => {
      assert.deepEqual(evaluate(body, reportOf(fields)), expected)
    })
  }

  test('shows every field to pairs(), once', () => {
    const [names] = evaluate(
      'local seen = {} local first = lt.login for k in pairs(lt) do seen[#seen + 1] = k end table.sort(seen) return seen',
      reportOf({}),
    )
    assert.deepEqual(names, [...LOGIN_TUPLE_FIELDS].toSorted())
  })

  test('keeps a login of bytes that are not UTF-8', () => {
    const [length, byte] = evaluate('return #lt.login, lt.login:byte(1)', {
      ...reportOf({}),
      login: '\udcff',
    })
    assert.deepEqual([length, byte], [1, 255])
  })
})
