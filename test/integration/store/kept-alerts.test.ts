/** Alerts on disk: as they were after the store is opened again, and after a damaged one was set aside. */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { Database } from '../../../src/store/embedded/database.ts'
import type { EmbeddedStore } from '../../../src/store/embedded/embedded-store.ts'
import { MailNotes } from '../../../src/store/embedded/mail-notes.ts'
import { WriteBatch } from '../../../src/store/embedded/write-batch.ts'
import { HOUR_MS, raise, raising } from '../../support/alert-fixtures.ts'
import { atEnd } from '../../support/clean-up.ts'
import { openStore, temporaryDirectory } from '../../support/embedded-store.ts'
import { START_MS } from '../../support/store-reports.ts'

/** Everything that the store says of its alerts. */
async function everything(store: EmbeddedStore) {
  const { alerts } = store
  const all = await alerts.list({ limit: 10_000 })
  return {
    all,
    counts: store.counts().alerts,
    open: await alerts.unresolved(0, 100),
    changes: await alerts.changes(100),
    groups: await alerts.groups(),
    silences: await alerts.silences(),
    mail: await alerts.lastMail(MAIL.sink, MAIL.address),
    told: await alerts.notifications(all[0]?.id ?? 0),
    evidence: await Promise.all(all.map(({ id }) => alerts.evidence(id))),
  }
}

const MAIL = {
  sink: 'users',
  address: 'ann@mail.example',
  logins: ['ann'],
  deliveryId: 'd7',
  atMs: START_MS,
  keepUntilMs: START_MS + HOUR_MS,
} as const

async function fill(store: EmbeddedStore): Promise<void> {
  await store.alerts.noteMail(MAIL)
  const keys = Array.from({ length: 30 }, (_, index) => index)
  await store.commit([
    raising(
      ...keys.map((n) =>
        raise({
          key: `k${n}`,
          severity: n % 2 === 0 ? 'high' : 'info',
          atMs: START_MS + n,
          grounds: JSON.stringify({ reads: [], earlierReads: n }),
        }),
      ),
    ),
  ])
  const [first, second, third] = await store.alerts.list({ limit: 3 })
  assert.ok(first !== undefined && second !== undefined && third !== undefined)
  const by = { author: 'eve', comment: 'c', atMs: START_MS + 100 }
  await store.alerts.act({ kind: 'acknowledge', id: second.id, ...by })
  await store.alerts.act({ kind: 'resolve', id: third.id, ...by })
  await store.alerts.addSilence({
    author: 'eve',
    comment: 'c',
    fromMs: START_MS,
    untilMs: START_MS + HOUR_MS,
  })
  const delivery = {
    sink: 'mail',
    deliveryId: 'd1',
    state: 'queued',
    tries: 0,
    atMs: 1,
    to: '',
    answer: '',
  } as const
  await store.alerts.commitNotifications({
    handled: [first, { ...second, revision: 17 }],
    handledErased: [],
    messages: [],
    groups: [{ key: 'g', sentAtMs: START_MS, notified: [[first.id, 'high']] }],
    goneGroups: [],
    notifications: [
      { atMs: 1, group: 'g', reason: 'new', total: 1, alertIds: [first.id], deliveries: [delivery] },
    ],
  })
}

for (const how of ['opened again', 'set aside for damage'] as const) {
  test(`alerts are as they were when the store is ${how}`, async (t) => {
    const directory = await temporaryDirectory(t)
    const { store: before } = await openStore(directory)
    await fill(before)
    const expected = await everything(before)
    await before.close()
    assert.equal(expected.evidence[0]?.first?.earlierReads, 29)
    assert.deepEqual(expected.counts, { open: [14, 0, 0, 15, 0], resolved: 1, evicted: 0 })
    if (how === 'set aside for damage') await writeFile(join(directory, 'store', 'CURRENT'), 'x')
    const { store } = await openStore(directory, { recover: true })
    atEnd(t, () => store.close())
    assert.deepEqual(await everything(store), expected)
    assert.equal(expected.mail?.deliveryId, 'd7')

    const delivered = {
      sink: 'mail',
      deliveryId: 'd1',
      state: 'delivered',
      tries: 1,
      atMs: 2,
      to: '',
      answer: '',
    } as const
    assert.equal(await store.alerts.noteDelivery(delivered), true)
    await store.commit([
      raising(raise({ key: 'new', atMs: START_MS + 1000 }), raise({ key: 'k0', atMs: START_MS + 999 })),
    ])
    const [made, again] = await store.alerts.list({ limit: 2 })
    assert.ok(made !== undefined && again !== undefined)
    assert.ok(made.id > Math.max(...expected.all.map(({ id }) => id)))
    assert.deepEqual([again.key, again.count], ['k0', 2])
    const silence = await store.alerts.addSilence({
      author: 'e',
      comment: 'c',
      fromMs: 0,
      untilMs: START_MS + 1,
    })
    assert.notEqual(silence?.id, 's1')
    assert.equal((await store.alerts.silences()).length, 2)
    await store.expire(START_MS + HOUR_MS)
    assert.equal(await store.alerts.lastMail(MAIL.sink, MAIL.address), undefined)
  })
}

test('times of mails are bounded: above the bound those go that would go first, also after a restart', async (t) => {
  const directory = await temporaryDirectory(t)
  const database = await Database.open(directory)
  atEnd(t, () => database.close())
  const write = async (stage: (batch: WriteBatch) => void): Promise<void> => {
    const batch = new WriteBatch()
    stage(batch)
    await database.write(batch, false)
  }
  const writer = { join: write, submit: (_kind: string, stage: (batch: WriteBatch) => void) => write(stage) }
  const noteOf = (n: number) => ({ ...MAIL, address: `u${n}@m.example`, keepUntilMs: START_MS + HOUR_MS + n })
  const notes = new MailNotes(() => database, 1000)
  const noteAll = (from: number, to: number): Promise<void> =>
    writer.submit('change', (batch) => {
      for (let n = from; n < to; n++) notes.stage(batch, noteOf(n))
      notes.finishAll()
    })
  const known = (): number =>
    Array.from({ length: 2000 }, (_, n) => notes.last(MAIL.sink, `u${n}@m.example`)).filter(
      (last) => last !== undefined,
    ).length
  await noteAll(0, 1000)
  await noteAll(0, 1000)
  await notes.expire(writer, START_MS, () => false)
  assert.equal(known(), 1000)
  await noteAll(1000, 1700)
  await notes.load()
  await notes.expire(writer, START_MS, () => false)
  assert.equal(known(), 1000)
  assert.equal(notes.last(MAIL.sink, 'u699@m.example'), undefined)
  assert.ok(notes.last(MAIL.sink, 'u700@m.example') !== undefined)
  assert.equal(await notes.forget(writer, 'ann'), 1000)
  await notes.expire(writer, Infinity, () => false)
  assert.equal(
    (await database.scan({ from: Uint8Array.of(0), to: Uint8Array.of(0xff), limit: 10 })).length,
    0,
  )
})
