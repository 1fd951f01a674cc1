/** What the functions of stored reports refuse before anybody is asked. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { storedReportFunctions } from '../../../src/lua/bindings/stored-reports.ts'
import { createRunContext } from '../../../src/lua/run-context.ts'
import type { StoreQuestion } from '../../../src/policy/store-questions.ts'
import { startLua } from '../../support/lua-harness.ts'

test('forgetLogin refuses an empty login: alerts about nobody have none either, and none of them may go', async (t) => {
  const asked: StoreQuestion[] = []
  const lua = startLua(t, {
    mode: 'policy',
    functions: storedReportFunctions((question) => {
      asked.push(question)
      return Promise.resolve({ kind: 'forget-login', reports: 1, trendRows: 2, alerts: 3, mails: 4 })
    }),
  })
  const run = async (code: string) =>
    lua.state.run(createRunContext('background', 'b', 1), await lua.fn(`function() ${code} end`), [])
  const refused = await run('return forgetLogin("")')
  assert.match(refused.ok ? '' : refused.error.message, /forgetLogin.*login must not be empty/)
  assert.deepEqual(asked, [])
  const done = await run(
    'local went = forgetLogin("ann") return went.reports, went.rows, went.alerts, went.mails',
  )
  assert.deepEqual(done.ok ? done.values : done.error, [1, 2, 3, 4])
  assert.deepEqual(asked, [{ kind: 'forget-login', login: 'ann' }])
})
