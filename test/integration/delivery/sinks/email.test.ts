/** The sink email against a real mail server. */
import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { listenLocal } from '../../../support/listen-local.ts'
import { startDelivery } from '../../../support/delivery-rig.ts'
import { notificationBody } from '../../../support/notifications.ts'
import { privateCa } from '../../../support/private-ca.ts'
import { mailParts, parseMail, startSmtp } from '../../../support/smtp-receiver.ts'

const BASE = { type: 'email', host: '127.0.0.1', from: 'Track <track@alerts.example>', to: 'ops@example.com' }
const LOGIN = { user: 'track', password: 'SECRET password' }

test('a mail goes out after STARTTLS and a login, with text, HTML and the delivery id', async (t) => {
  const smtp = await startSmtp(t, { login: LOGIN })
  const rig = startDelivery(
    t,
    {},
    {
      sinks: {
        ops: {
          ...BASE,
          ...LOGIN,
          host: 'localhost',
          port: smtp.port,
          ca: privateCa.caFile,
          to: ['ops@example.com', 'Night <night@example.com>'],
        },
      },
    },
  )
  rig.outbox.add({ hook: 'sink:ops', body: notificationBody([{ message: '<b>from GB</b> & back' }]) })
  await rig.drained()
  const [mail] = smtp.mails
  assert.ok(mail)
  assert.deepEqual(
    [mail.from, mail.to, mail.isEncrypted, mail.user],
    ['track@alerts.example', ['ops@example.com', 'night@example.com'], true, 'track'],
  )
  const { headers } = parseMail(mail.raw)
  const [record] = rig.records
  assert.equal(headers.get('message-id'), `<${record?.deliveryId}@alerts.example>`)
  assert.equal(headers.get('auto-submitted'), 'auto-generated')
  assert.equal(
    headers.get('subject'),
    '[trackalert] high impossible-travel (ann): <b>from GB</b> & back (3 times)',
  )
  const parts = mailParts(mail.raw)
  assert.match(
    parts.get('text/plain') ?? '',
    /^HIGH impossible-travel \(ann\)\r?\n {2}<b>from GB<\/b> & back/,
  )
  assert.match(parts.get('text/plain') ?? '', /login: +ann from 192\.0\.2\.7/)
  assert.match(parts.get('text/html') ?? '', /&lt;b&gt;from GB&lt;\/b&gt; &amp; back/)
  assert.doesNotMatch(parts.get('text/html') ?? '', /<b>/)
  assert.deepEqual(
    [record?.sink, record?.state, record?.tries, record?.answer],
    ['ops', 'delivered', 1, '250 2.0.0 queued as mail 1'],
  )
})

test('with tls = "tls" the connection is encrypted from its beginning', async (t) => {
  const smtp = await startSmtp(t, { options: { secure: true } })
  const rig = startDelivery(
    t,
    {},
    {
      sinks: { ops: { ...BASE, host: 'localhost', port: smtp.port, tls: 'tls', ca: privateCa.caFile } },
    },
  )
  rig.outbox.add({ hook: 'sink:ops', body: notificationBody() })
  await rig.drained()
  assert.equal(smtp.mails[0]?.isEncrypted, true)
})

test('a server without STARTTLS gets no password, and one with a foreign certificate neither', async (t) => {
  const plain = await startSmtp(t, {
    login: LOGIN,
    options: { hideSTARTTLS: true, disabledCommands: ['STARTTLS'] },
  })
  const foreign = await startSmtp(t, { login: LOGIN })
  const rig = startDelivery(
    t,
    {},
    {
      sinks: {
        plain: { ...BASE, ...LOGIN, port: plain.port },
        foreign: { ...BASE, ...LOGIN, host: 'localhost', port: foreign.port },
      },
    },
  )
  for (const name of ['plain', 'foreign']) {
    const outcome = await rig.delivery.sendTest(name)
    assert.equal(outcome.ok, false)
    assert.match(outcome.answer, /TLS/, name)
  }
  assert.equal(plain.mails.length + foreign.mails.length, 0)
})

test('without a login a certificate that nobody has signed does not matter, and the mail is encrypted all the same', async (t) => {
  const smtp = await startSmtp(t)
  const rig = startDelivery(t, {}, { sinks: { ops: { ...BASE, host: 'localhost', port: smtp.port } } })
  assert.equal((await rig.delivery.sendTest('ops')).ok, true)
  assert.equal(smtp.mails[0]?.isEncrypted, true)
})

test('without a login and without STARTTLS the mail goes out in the clear', async (t) => {
  const smtp = await startSmtp(t, { options: { hideSTARTTLS: true, disabledCommands: ['STARTTLS'] } })
  const rig = startDelivery(t, {}, { sinks: { ops: { ...BASE, port: smtp.port } } })
  assert.equal((await rig.delivery.sendTest('ops')).ok, true)
  assert.equal(smtp.mails[0]?.isEncrypted, false)
})

test('a wrong password is tried again, said loudly once, and shown nowhere', async (t) => {
  const smtp = await startSmtp(t, { login: LOGIN })
  const rig = startDelivery(
    t,
    {},
    {
      sinks: {
        ops: {
          ...BASE,
          user: 'track',
          password: 'WRONG',
          host: 'localhost',
          port: smtp.port,
          ca: privateCa.caFile,
        },
      },
    },
  )
  rig.outbox.add({ hook: 'sink:ops', body: notificationBody() })
  await rig.tried(2)
  await rig.delivery.stop(0)
  const errors = rig.lines.filter(({ level }) => level === 'error')
  assert.equal(errors.length, 1)
  assert.match(errors[0]?.message ?? '', /does not accept the user name and password/)
  assert.match(String(errors[0]?.fields['answer']), /535 5\.7\.8 no such login/)
  assert.equal(rig.outbox.size, 1)
  assert.ok(!JSON.stringify([rig.lines, rig.records, rig.delivery.sinks()]).includes('WRONG'))
})

for (const { code, state } of [
  { code: 451, state: 'retry' },
  { code: 550, state: 'dead' },
] as const) {
  test(`an answer ${code} to the recipient means ${state}`, async (t) => {
    const smtp = await startSmtp(t, {
      refuse: (_address, attempt) => (attempt === 1 ? { code, text: 'go away' } : undefined),
    })
    const rig = startDelivery(t, {}, { sinks: { ops: { ...BASE, port: smtp.port, tls: 'none' } } })
    rig.outbox.add({ hook: 'sink:ops', body: notificationBody() })
    await rig.drained()
    assert.equal(rig.records[0]?.state, state)
    assert.match(rig.records[0]?.answer ?? '', new RegExp(`^${code} go away`))
    assert.equal(smtp.mails.length, state === 'retry' ? 1 : 0)
    const ids = new Set(rig.records.map(({ deliveryId }) => deliveryId))
    assert.equal(ids.size, 1)
  })
}

test('a refusal before the mail is not taken for one of the mail', async (t) => {
  const port = await listenLocal(
    t,
    createServer((socket) => void socket.end('554 5.7.1 not from there\r\n')),
  )
  const rig = startDelivery(t, {}, { sinks: { ops: { ...BASE, port, tls: 'none' } } })
  assert.deepEqual(await rig.delivery.sendTest('ops'), { ok: false, answer: '554 5.7.1 not from there' })
  rig.outbox.add({ hook: 'sink:ops', body: notificationBody() })
  await rig.tried(1)
  assert.equal(rig.outbox.size, 1)
})

test('one recipient that is refused does not keep the mail from the others, and is named in the answer', async (t) => {
  const smtp = await startSmtp(t, {
    refuse: (address) => (address === 'gone@example.com' ? { code: 550, text: 'no such user' } : undefined),
  })
  const rig = startDelivery(
    t,
    {},
    {
      sinks: { ops: { ...BASE, port: smtp.port, tls: 'none', to: ['gone@example.com', 'ops@example.com'] } },
    },
  )
  rig.outbox.add({ hook: 'sink:ops', body: notificationBody() })
  await rig.drained()
  assert.deepEqual(smtp.mails[0]?.to, ['ops@example.com'])
  assert.match(rig.records[0]?.answer ?? '', /refused for gone@example\.com/)
})

test('a silent server costs a try its time limit', async (t) => {
  const port = await listenLocal(t, createServer())
  const rig = startDelivery(t, {}, { sinks: { ops: { ...BASE, port, tls: 'none', timeout: 1 } } })
  rig.outbox.add({ hook: 'sink:ops', body: notificationBody() })
  await rig.tried(1)
  assert.match(String(rig.lines[0]?.fields['answer']), /no answer came in time/)
  assert.equal(rig.outbox.size, 1)
})

test('while a server is silent, mails to another one go out', async (t) => {
  const port = await listenLocal(t, createServer())
  const smtp = await startSmtp(t)
  const rig = startDelivery(
    t,
    {},
    {
      sinks: {
        silent: { ...BASE, port, tls: 'none', timeout: 300 },
        well: { ...BASE, port: smtp.port, tls: 'none' },
      },
    },
  )
  for (let id = 1; id <= 5; id++) {
    for (const name of ['silent', 'well'])
      rig.outbox.add({ hook: `sink:${name}`, body: notificationBody([{ id }]) })
  }
  await rig.tried(5)
  assert.deepEqual(rig.tries, Array<string>(5).fill('well ok'))
  assert.equal(rig.outbox.size, 5)
})

test('a dead server that comes back gets every mail once', async (t) => {
  const placeholder = createServer()
  const port = await listenLocal(t, placeholder)
  await new Promise((resolve) => placeholder.close(resolve))
  const rig = startDelivery(t, {}, { sinks: { ops: { ...BASE, port, tls: 'none' } } })
  for (let id = 1; id <= 20; id++) rig.outbox.add({ hook: 'sink:ops', body: notificationBody([{ id }]) })
  await rig.tried(3)
  const smtp = await startSmtp(t, { port })
  await rig.drained()
  const ids = smtp.mails.map(({ raw }) => parseMail(raw).headers.get('message-id'))
  assert.deepEqual([ids.length, new Set(ids).size], [20, 20])
})

test('a digest has one mail for what came within its interval', async (t) => {
  const smtp = await startSmtp(t)
  const rig = startDelivery(
    t,
    {},
    {
      sinks: { ops: { ...BASE, port: smtp.port, tls: 'none', digest: 1 } },
    },
  )
  rig.outbox.add({ hook: 'sink:ops', body: notificationBody([{ id: 1 }]) })
  await rig.tried(1)
  for (let id = 2; id <= 30; id++)
    rig.outbox.add({
      hook: 'sink:ops',
      body: notificationBody([{ id, rule: `rule-${id % 2}`, severity: 'low' }]),
    })
  rig.outbox.add({
    hook: 'sink:ops',
    body: notificationBody([{ id: 2, severity: 'critical', rule: 'rule-0' }]),
  })
  await rig.drained()
  assert.equal(smtp.mails.length, 2)
  const { headers } = parseMail(smtp.mails[1]?.raw ?? '')
  assert.equal(headers.get('subject'), '[trackalert] critical: 29 alerts: rule-0, rule-1')
  assert.equal(rig.records.filter(({ state }) => state === 'delivered').length, 31)
})

test('what does not fit into one digest follows at once', async (t) => {
  const smtp = await startSmtp(t)
  const sinks = { ops: { ...BASE, port: smtp.port, tls: 'none', digest: 3600 } }
  const rig = startDelivery(t, {}, { sinks })
  for (let id = 1; id <= 250; id++) rig.outbox.add({ hook: 'sink:ops', body: notificationBody([{ id }]) })
  await rig.drained()
  const subjects = smtp.mails.map(({ raw }) => parseMail(raw).headers.get('subject') ?? '')
  const counts = subjects.map((subject) => Number(/(\d+) alerts/.exec(subject)?.[1]))
  assert.equal(
    counts.reduce((sum, count) => sum + count, 0),
    250,
  )
  assert.equal(counts.length, 3)
})

test('a digest that failed is tried again before the next one would be due', async (t) => {
  const smtp = await startSmtp(t, {
    refuse: (_address, attempt) => (attempt === 1 ? { code: 451, text: 'later' } : undefined),
  })
  const sinks = { ops: { ...BASE, port: smtp.port, tls: 'none', digest: 3600 } }
  const rig = startDelivery(t, {}, { sinks })
  rig.outbox.add({ hook: 'sink:ops', body: notificationBody() })
  await rig.drained()
  assert.equal(smtp.mails.length, 1)
  rig.outbox.add({ hook: 'sink:ops', body: notificationBody() })
  // The stop does not wait for the next digest either.
  assert.equal(await rig.delivery.stop(60_000), '1 webhook or notification')
})

test('nothing from outside gets into a header', async (t) => {
  const smtp = await startSmtp(t)
  const rig = startDelivery(t, {}, { sinks: { ops: { ...BASE, port: smtp.port, tls: 'none' } } })
  rig.outbox.add({
    hook: 'sink:ops',
    body: notificationBody([
      {
        rule: 'r\r\nBcc: evil@example.com',
        key: 'k\nX-Evil: 1',
        message: 'm\r\n\r\nbody\u2028Cc: evil@example.com',
      },
    ]),
  })
  await rig.drained()
  const { headers } = parseMail(smtp.mails[0]?.raw ?? '')
  assert.deepEqual(
    [...headers.keys()].toSorted(),
    [
      'auto-submitted',
      'content-type',
      'date',
      'from',
      'message-id',
      'mime-version',
      'subject',
      'to',
      'x-auto-response-suppress',
    ].toSorted(),
  )
  assert.deepEqual(smtp.mails[0]?.to, ['ops@example.com'])
})
