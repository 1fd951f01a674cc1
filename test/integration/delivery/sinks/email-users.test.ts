/** Mail to the users whom alerts are about. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startDelivery } from '../../../support/delivery-rig.ts'
import { notificationBody } from '../../../support/notifications.ts'
import { mailParts, parseMail, startSmtp } from '../../../support/smtp-receiver.ts'

const BASE = { type: 'email', host: '127.0.0.1', from: 'Track <track@alerts.example>' }

test('users are written to about their own alerts, once in the time of the throttle', async (t) => {
  const smtp = await startSmtp(t)
  let nowMs = 1_800_000_000_000
  const rig = startDelivery(
    t,
    {},
    {
      now: () => nowMs,
      sinks: {
        users: {
          ...BASE,
          port: smtp.port,
          tls: 'none',
          userAddress: '%{user}@mail.example',
          throttle: 3600,
          subject: 'A login to your account from %{remote}',
          text: 'Dear %{user},\nthere was a login from %{remote}.',
        },
      },
    },
  )
  const alerts = [
    { id: 1, user: 'ann' },
    { id: 2, user: 'bob' },
    { id: 3, user: 'ann' },
    { id: 4, user: 'no user\r\n' },
    { id: 5, user: '' },
  ]
  rig.outbox.add({ hook: 'sink:users', body: notificationBody(alerts) })
  await rig.drained()
  assert.deepEqual(
    smtp.mails.map(({ to }) => to[0]),
    ['ann@mail.example', 'bob@mail.example'],
  )
  const { headers } = parseMail(smtp.mails[0]?.raw ?? '')
  assert.equal(headers.get('subject'), 'A login to your account from 192.0.2.7')
  assert.match(
    mailParts(smtp.mails[0]?.raw ?? '').get('text/plain') ?? '',
    /^Dear ann,\r?\nthere was a login/,
  )
  assert.match(rig.records[0]?.answer ?? '', /2 without an address/)

  rig.outbox.add({ hook: 'sink:users', body: notificationBody([{ user: 'ann' }]) })
  await rig.drained()
  assert.equal(smtp.mails.length, 2)
  nowMs += 3_600_000
  rig.outbox.add({ hook: 'sink:users', body: notificationBody([{ user: 'ann' }]) })
  await rig.drained()
  assert.equal(smtp.mails.length, 3)
  rig.outbox.add({ hook: 'sink:users', body: notificationBody([{ user: 'eve' }], { reason: 'resolved' }) })
  await rig.drained()
  assert.equal(smtp.mails.length, 3)
})

test('a user whose mail was refused for now is tried again, the others are not written to twice', async (t) => {
  let refusals = 0
  const smtp = await startSmtp(t, {
    refuse: (address) =>
      address === 'bob@mail.example' && refusals++ === 0 ? { code: 451, text: 'later' } : undefined,
  })
  const rig = startDelivery(
    t,
    {},
    {
      sinks: {
        users: { ...BASE, port: smtp.port, tls: 'none', userAddress: '%{user}@mail.example', throttle: 0 },
      },
    },
  )
  rig.outbox.add({ hook: 'sink:users', body: notificationBody([{ user: 'ann' }, { id: 8, user: 'bob' }]) })
  await rig.drained()
  assert.deepEqual(
    smtp.mails.map(({ to }) => to[0] ?? ''),
    ['ann@mail.example', 'bob@mail.example'],
  )
})

test('a test of a sink for users goes to the sender', async (t) => {
  const smtp = await startSmtp(t)
  const rig = startDelivery(
    t,
    {},
    {
      sinks: { users: { ...BASE, port: smtp.port, tls: 'none', userAddress: '%{data.mail}' } },
    },
  )
  assert.deepEqual(await rig.delivery.sendTest('users'), { ok: true, answer: '250 2.0.0 queued as mail 1' })
  assert.deepEqual(smtp.mails[0]?.to, ['track@alerts.example'])
  assert.match(parseMail(smtp.mails[0]?.raw ?? '').headers.get('subject') ?? '', /TEST/)
  rig.outbox.add({ hook: 'sink:users', body: notificationBody() })
  await rig.drained()
  assert.deepEqual(smtp.mails[1]?.to, ['ann@users.example'])
})

test('two notifications at once write to a user once, and one whose time cannot be stored is not sent again', async (t) => {
  const smtp = await startSmtp(t)
  const slow = new Map<string, { readonly deliveryId: string; readonly atMs: number }>()
  let isBroken = false
  const rig = startDelivery(
    t,
    {},
    {
      mailTimes: {
        lastMail: (_sink, address) => Promise.resolve(slow.get(address)),
        noteMail(note) {
          if (isBroken) return Promise.reject(new Error('disk full'))
          return Promise.resolve(void slow.set(note.address, note))
        },
      },
      sinks: { users: { ...BASE, port: smtp.port, tls: 'none', userAddress: '%{user}@mail.example' } },
    },
  )
  rig.outbox.add({ hook: 'sink:users', body: notificationBody([{ id: 1, user: 'ann' }]) })
  rig.outbox.add({ hook: 'sink:users', body: notificationBody([{ id: 2, user: 'ann' }]) })
  await rig.drained()
  assert.equal(smtp.mails.length, 1)
  isBroken = true
  rig.outbox.add({ hook: 'sink:users', body: notificationBody([{ id: 3, user: 'bob' }]) })
  await rig.drained()
  assert.match(rig.records.at(-1)?.answer ?? '', /250 .*; when it was sent could not be stored: disk full$/)
  assert.equal(smtp.mails.length, 2)
})
