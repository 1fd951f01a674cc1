/**
 * What every adapter of the store's port keeps of the runs that raised an alert, for explaining it.
 */
import assert from 'node:assert/strict'
import type { KeptEvidence, RaiseGrounds, TrendRead } from '../../../src/alerts/alert-evidence.ts'
import type { AlertEffect } from '../../../src/alerts/alert.ts'
import type { Store } from '../../../src/store/store.ts'
import { DAY_MS, raise, raising } from '../../support/alert-fixtures.ts'
import { reportAt, START_MS } from '../../support/store-reports.ts'
import { append, done, type OpenStore, titled } from '../../support/store-suite.ts'

const ALL = { limit: 100 } as const

export function runStoreEvidenceSuite(name: string, open: OpenStore): void {
  const suiteTest = titled(name)

  suiteTest('what the first and the latest raise knew is kept, also when they come together', async (t) => {
    const { store } = await open(t, {})
    const raisedWith = (key: string, message_: string, atMs: number, knows = true): AlertEffect =>
      raise({
        key,
        message: message_,
        atMs,
        value: atMs - START_MS,
        ...(knows ? { grounds: JSON.stringify(grounds('k')) } : {}),
      })
    const [report] = await append(store, reportAt(0))
    assert.ok(report !== undefined)
    await store.commit([
      done(report.id, [], {
        alerts: [raisedWith('once', 'a', START_MS), raisedWith('thrice', 'b', START_MS)],
      }),
      raising(raisedWith('thrice', 'c', START_MS + 1), raisedWith('old', 'd', START_MS, false)),
    ])
    await store.commit([raising(raisedWith('thrice', 'e', START_MS + 2))])
    const kept = await evidenceByKey(store)
    const of = (atMs: number, text: string) => ({
      ...grounds('k'),
      atMs,
      message: text,
      value: atMs - START_MS,
      severity: 'medium',
    })
    assert.deepEqual(kept, {
      once: { first: { ...of(START_MS, 'a'), reportId: report.id } },
      thrice: { first: { ...of(START_MS, 'b'), reportId: report.id }, latest: of(START_MS + 2, 'e') },
      old: {},
    })
    assert.deepEqual(await store.alerts.evidence(999), {})
  })

  suiteTest('what is kept for explaining an alert goes with the alert', async (t) => {
    const { store } = await open(t, { alertHistoryDays: 1 })
    await store.commit([
      raising(
        raise({ grounds: JSON.stringify(grounds('k')) }),
        raise({ grounds: JSON.stringify(grounds('k')) }),
      ),
    ])
    const [alert] = await store.alerts.list(ALL)
    assert.ok(alert !== undefined)
    const { id } = alert
    assert.deepEqual(Object.keys(await store.alerts.evidence(id)), ['first', 'latest'])
    await store.expire(START_MS + DAY_MS)
    await store.expire(START_MS + 3 * DAY_MS)
    assert.deepEqual(await store.alerts.list(ALL), [])
    assert.deepEqual(await store.alerts.evidence(id), {})
  })

  suiteTest('forgetting a login erases what others read of it, and leaves their alerts', async (t) => {
    const { store } = await open(t, {})
    await store.commit([
      raising(
        ...['ann', 'bob'].flatMap((login) => [
          raise({ key: `${login} as a key`, grounds: JSON.stringify(grounds(login)) }),
          raise({ key: `${login} as an item`, grounds: JSON.stringify(grounds('k', { item: login })) }),
          raise({
            key: `${login} in an answer`,
            grounds: JSON.stringify(grounds('k', { answer: [{ item: login, count: 1 }] })),
          }),
          raise({ key: `${login} later`, grounds: JSON.stringify(grounds('k')) }),
          raise({ key: `${login} later`, grounds: JSON.stringify(grounds(login)) }),
        ]),
      ),
    ])
    assert.deepEqual(await store.forgetLogin('ann'), { reports: 0, trendRows: 0, alerts: 0, mails: 0 })
    const kept = Object.entries(await evidenceByKey(store)).map(([key, evidence]) => [
      key,
      Object.keys(evidence),
    ])
    assert.deepEqual(Object.fromEntries(kept), {
      'ann as a key': [],
      'ann as an item': [],
      'ann in an answer': [],
      'ann later': ['first'],
      'bob as a key': ['first'],
      'bob as an item': ['first'],
      'bob in an answer': ['first'],
      'bob later': ['first', 'latest'],
    })
  })
}

/** What a run knew that had asked one question. */
function grounds(key: string, read: Partial<TrendRead> = {}): RaiseGrounds {
  const asked = { call: 'twGet', database: 'users', key, field: 'wrong', answer: 3, ...read }
  return { reads: [asked], earlierReads: 0, parameters: '{"passwords":15}' }
}

async function evidenceByKey(store: Store): Promise<Readonly<Record<string, KeptEvidence>>> {
  const alerts = await store.alerts.list(ALL)
  const all = await Promise.all(
    alerts.map(async ({ id, key }) => [key, await store.alerts.evidence(id)] as const),
  )
  return Object.fromEntries(all)
}
