import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import type { LogOptions } from '../../../src/telemetry/log-options.ts'
import { createServerLog, type LogOutput } from '../../../src/telemetry/server-log.ts'

const OPTIONS: LogOptions = { level: 'info', format: 'text', facility: undefined, timestamps: false }

/** What is on standard output after the given was logged. */
async function written(
  options: Partial<LogOptions>,
  output: Partial<LogOutput>,
  write: (log: ReturnType<typeof createServerLog>) => void,
): Promise<string> {
  const stream = new PassThrough()
  const chunks: Buffer[] = []
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  const serverLog = createServerLog(
    { ...OPTIONS, ...options },
    { stream, isJournal: false, environment: {}, pid: 1, ...output },
  )
  write(serverLog)
  await serverLog.close(1000)
  return Buffer.concat(chunks).toString()
}

test('a line of JSON has time, level, message, and the fields apart, so that none can replace another', async () => {
  const text = await written({ format: 'json' }, {}, ({ log }) => {
    log.verbatim('warn', 'hello', { level: 'forged', time: 'forged', n: 3 })
  })
  const { time, ...rest } = JSON.parse(text) as { readonly time: string }
  assert.deepEqual(rest, { level: 'warn', msg: 'hello', fields: { level: 'forged', time: 'forged', n: 3 } })
  assert.equal(new Date(time).toISOString(), time)
})

test('the journal gets its priorities instead of a time, in text and in JSON', async () => {
  const write = ({ log }: ReturnType<typeof createServerLog>): void => {
    log.error('e')
    log.warn('w')
    log.info('i')
    log.debug('d')
  }
  assert.equal(
    await written({ level: 'debug' }, { isJournal: true }, write),
    '<3>error e\n<4>warn  w\n<6>info  i\n<7>debug d\n',
  )
  assert.match(
    await written({ format: 'json' }, { isJournal: true }, write),
    /^<3>\{"level":"error",.*\n<4>\{/,
  )
})

test('-D gives every line its time, also in the journal', async () => {
  const write = ({ log }: ReturnType<typeof createServerLog>): void => log.info('i')
  assert.match(
    await written({ timestamps: true }, {}, write),
    /^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}\] info {2}i\n$/,
  )
  assert.match(
    await written({ timestamps: true }, { isJournal: true }, write),
    /^<6>\[\d{4}-.*\] info {2}i\n$/,
  )
})

test('colours are for terminals, unless NO_COLOR says no', async () => {
  const write = ({ log }: ReturnType<typeof createServerLog>): void => log.error('e')
  const stream = (): PassThrough => Object.assign(new PassThrough(), { isTTY: true })
  for (const [environment, hasColours] of [
    [{}, true],
    [{ NO_COLOR: '1' }, false],
    [{ NO_COLOR: '' }, true],
  ] as const) {
    const tty = stream()
    let text = ''
    tty.on('data', (chunk: Buffer) => (text += chunk.toString()))
    await written({}, { stream: tty, environment }, write)
    assert.equal(text.includes('\u001B['), hasColours, JSON.stringify(environment))
  }
})

test('the level can be changed while the server runs', async () => {
  const text = await written({}, {}, ({ log }) => {
    log.debug('unseen')
    log.setLevel('debug')
    log.debug('seen')
    log.setLevel('error')
    log.warn('unseen')
    log.verbatim('info', 'unseen', {})
    log.error('last')
  })
  assert.match(text, /^\S+ debug seen\n\S+ error last\n$/)
})

test("what Lua code writes is never collapsed, and the server's own faults are", async () => {
  const text = await written({}, {}, ({ log }) => {
    for (let time = 0; time < 3; time++) log.verbatim('error', 'of a policy', {})
    for (let time = 0; time < 3; time++) log.error('of the server')
  })
  assert.equal(text.match(/of a policy\n/g)?.length, 3)
  assert.equal(text.match(/of the server/g)?.length, 2)
  assert.match(text, /of the server \(repeated 2 times in 60 s\)\n$/)
})

test('secrets are covered in fields and in the message, in text and in JSON', async () => {
  for (const format of ['text', 'json'] as const) {
    const text = await written({ format }, {}, ({ log }) => {
      log.info('asked http://ann:hunter2@example.com/', {
        password: 'hunter2',
        header: 'Authorization: Basic hunter2',
      })
    })
    assert.doesNotMatch(text, /hunter2/)
    assert.equal(text.match(/\*\*\*/g)?.length, 3, text)
  }
})

test('a console takes over the lines that come', async () => {
  let printed = ''
  const text = await written({}, {}, ({ log, divert }) => {
    log.info('before')
    divert((line) => (printed += line))
    log.info('behind')
  })
  assert.match(text, /before\n$/)
  assert.match(printed, /^\S+ info {2}behind\n$/)
})
