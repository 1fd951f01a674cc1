/** What every adapter of the store's port remembers of mails to users, and when it lets go of it. */
import assert from 'node:assert/strict'
import type { MailNote } from '../../../src/store/alert-store.ts'
import { HOUR_MS } from '../../support/alert-fixtures.ts'
import { START_MS } from '../../support/store-reports.ts'
import { type OpenStore, titled } from '../../support/store-suite.ts'

function note(fields: Partial<MailNote> = {}): MailNote {
  return {
    sink: 'users',
    address: 'ann@mail.example',
    logins: ['ann'],
    deliveryId: 'd1',
    atMs: START_MS,
    keepUntilMs: START_MS + HOUR_MS,
    ...fields,
  }
}

export function runStoreMailsSuite(name: string, open: OpenStore): void {
  const suiteTest = titled(name)

  suiteTest('the last mail of an address through a sink is known, and of no other', async (t) => {
    const { alerts } = (await open(t, {})).store
    await alerts.noteMail(note())
    await Promise.all([
      alerts.noteMail(note({ deliveryId: 'd2', atMs: START_MS + 1, keepUntilMs: START_MS + 2 * HOUR_MS })),
      alerts.noteMail(note({ deliveryId: 'd3', atMs: START_MS + 2, keepUntilMs: START_MS + 3 * HOUR_MS })),
    ])
    assert.deepEqual(await alerts.lastMail('users', 'ann@mail.example'), {
      deliveryId: 'd3',
      atMs: START_MS + 2,
    })
    assert.equal(await alerts.lastMail('users', 'bob@mail.example'), undefined)
    assert.equal(await alerts.lastMail('others', 'ann@mail.example'), undefined)
  })

  suiteTest('a mail is forgotten when its time is over, and not by what an earlier one said', async (t) => {
    const { store } = await open(t, {})
    await store.alerts.noteMail(note())
    await store.alerts.noteMail(note({ deliveryId: 'd2', keepUntilMs: START_MS + 3 * HOUR_MS }))
    await store.alerts.noteMail(note({ address: 'bob@mail.example' }))
    const known = async (): Promise<readonly (string | undefined)[]> => [
      (await store.alerts.lastMail('users', 'ann@mail.example'))?.deliveryId,
      (await store.alerts.lastMail('users', 'bob@mail.example'))?.deliveryId,
    ]
    await store.expire(START_MS + HOUR_MS - 1)
    assert.deepEqual(await known(), ['d2', 'd1'])
    await store.expire(START_MS + HOUR_MS)
    assert.deepEqual(await known(), ['d2', undefined])
    await store.expire(START_MS + 3 * HOUR_MS)
    assert.deepEqual(await known(), [undefined, undefined])
  })

  suiteTest('forgetting a login erases the notes of mails about it', async (t) => {
    const { store } = await open(t, {})
    await store.alerts.noteMail(note({ logins: ['ann', 'anna'] }))
    await store.alerts.noteMail(note({ sink: 'others' }))
    await store.alerts.noteMail(note({ address: 'bob@mail.example', logins: ['bob'] }))
    assert.equal((await store.forgetLogin('ann')).mails, 2)
    assert.equal((await store.forgetLogin('ann')).mails, 0)
    assert.equal(await store.alerts.lastMail('users', 'ann@mail.example'), undefined)
    assert.equal((await store.alerts.lastMail('users', 'bob@mail.example'))?.deliveryId, 'd1')
    await store.expire(START_MS + 9 * HOUR_MS)
    assert.equal((await store.forgetLogin('bob')).mails, 0)
  })
}
