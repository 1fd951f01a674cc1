/** The control socket over real connections, asked by a client that was written from the protocol's description. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test, type TestContext } from 'node:test'
import { connectPeer, frameOf, openInput } from '../../support/control-peer.ts'
import { KEY, startControl } from '../../support/control-fixture.ts'

/** Polls until it is so; the test's own failure names what was not. */
async function until(isSo: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const endMs = performance.now() + 10_000
  while (!(await isSo())) {
    if (performance.now() > endMs) throw new Error(`not in time: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

test('a thousand commands on one connection are answered in order', async (t) => {
  const { port, lines, logins, metric } = await startControl(t)
  const peer = await connectPeer(t, port, KEY)
  for (let count = 0; count < 1_000; count++) {
    assert.equal(await peer.ask(`return ${count}`), `<return ${count}>`)
  }
  assert.equal(lines.length, 1_000)
  // One login, however many commands.
  assert.deepEqual(logins, ['127.0.0.1'])
  assert.equal(await metric('trackalert_control_logins_total'), 1)
})

test('commands that were sent ahead run one after another', async (t) => {
  let running = 0
  let most = 0
  const { port } = await startControl(
    t,
    {},
    {
      async runLine(line) {
        most = Math.max(most, ++running)
        await new Promise((resolve) => setImmediate(resolve))
        running -= 1
        return line
      },
    },
  )
  const peer = await connectPeer(t, port, KEY)
  const frames = Array.from({ length: 50 }, (_, index) => peer.frame(`line ${index}`))
  peer.socket.write(Buffer.concat(frames))
  for (let index = 0; index < 50; index++) assert.equal((await peer.receive()).toString(), `line ${index}`)
  assert.equal(most, 1)
})

test('a command that takes long keeps no other client waiting', async (t) => {
  const slow = Promise.withResolvers<string>()
  const { port, metric } = await startControl(
    t,
    {},
    {
      runLine: async (line) => (line === 'slow' ? slow.promise : line),
    },
  )
  const [waiting, other] = [await connectPeer(t, port, KEY), await connectPeer(t, port, KEY)]
  waiting.send('slow')
  assert.equal(await other.ask('quick'), 'quick')
  assert.equal(await metric('trackalert_control_connections'), 2)
  slow.resolve('done')
  assert.equal((await waiting.receive()).toString(), 'done')
})

test('an empty command is a command, and its MAC is checked', async (t) => {
  const { port, lines, refused } = await startControl(t)
  const peer = await connectPeer(t, port, KEY)
  assert.equal(await peer.ask(''), '<>')
  const forger = await connectPeer(t, port, KEY)
  forger.socket.write(frameOf(Buffer.alloc(16)))
  assert.equal((await forger.rest()).length, 0)
  assert.deepEqual([lines, refused], [[''], ['bad-mac']])
})

test('bytes survive, in both directions', async (t) => {
  const { port } = await startControl(t, {}, { runLine: async (line) => line })
  const peer = await connectPeer(t, port, KEY)
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index))
  peer.send(bytes)
  assert.deepEqual(await peer.receive(), bytes)
})

test('the longest command and the longest answer fit, and a longer answer says that it was cut', async (t) => {
  const { port } = await startControl(
    t,
    {},
    {
      runLine: async (line) => (line === 'more' ? 'a row\n'.repeat(20_000) : line),
    },
  )
  const peer = await connectPeer(t, port, KEY)
  assert.equal((await peer.ask('x'.repeat(65_519))).length, 65_519)
  const answer = await peer.ask('more')
  assert.match(answer, /^(a row\n){10000,}… \d+ more lines do not fit into one answer; [^\n]+\n$/)
  assert.equal(await peer.ask('next'), 'next')
})

test('a wrong key is refused, said in the log with the address, counted and told', async (t) => {
  const { port, lines, refused, logins, log, metric } = await startControl(t)
  const peer = await connectPeer(t, port, randomBytes(32))
  peer.send('shutdown()')
  assert.equal((await peer.rest()).length, 0)
  assert.deepEqual([lines, refused, logins], [[], ['bad-mac'], []])
  assert.deepEqual(log, [
    {
      level: 'warn',
      message: 'a control connection was closed',
      fields: { reason: 'bad-mac', peer: '127.0.0.1' },
    },
  ])
  assert.equal(await metric('trackalert_control_refused_total'), 1)
  await until(async () => (await metric('trackalert_control_connections')) === 0, 'the connection is gone')
})

for (const length of [0, 1, 15]) {
  test(`a frame of ${length} bytes is too short and ends the connection`, async (t) => {
    const { port, refused } = await startControl(t)
    const peer = await connectPeer(t, port, KEY)
    peer.socket.write(frameOf(Buffer.alloc(length)))
    assert.equal((await peer.rest()).length, 0)
    assert.deepEqual(refused, ['short-frame'])
  })
}

test('a frame that is not sent to its end is no command', async (t) => {
  const { port, lines, refused } = await startControl(t)
  const peer = await connectPeer(t, port, KEY)
  peer.socket.end(peer.frame('shutdown()').subarray(0, -1))
  assert.equal((await peer.rest()).length, 0)
  assert.deepEqual([lines, refused], [[], ['short-frame']])
})

test('a client may send its commands, close its side, and read the answers', async (t) => {
  const { port } = await startControl(t)
  const peer = await connectPeer(t, port, KEY)
  peer.socket.end(Buffer.concat([peer.frame('one'), peer.frame('two')]))
  assert.deepEqual([(await peer.receive()).toString(), (await peer.receive()).toString()], ['<one>', '<two>'])
  assert.equal((await peer.rest()).length, 0)
})

test('frames in single bytes are commands like others', async (t) => {
  const { port } = await startControl(t)
  const peer = await connectPeer(t, port, KEY)
  for (const byte of peer.frame('stats()')) {
    await new Promise<void>((resolve) => peer.socket.write(Uint8Array.of(byte), () => resolve()))
  }
  assert.equal((await peer.receive()).toString(), '<stats()>')
})

interface Silence {
  readonly name: string
  readonly reason: string
  readonly say: (t: TestContext, port: number) => Promise<{ readonly rest: () => Promise<Buffer> }>
}

const SILENCES: readonly Silence[] = [
  { name: 'that never says anything', reason: 'handshake-timeout', say: (t, port) => openInput(t, port) },
  {
    name: 'that stops within the handshake',
    reason: 'handshake-timeout',
    async say(t, port) {
      const input = await openInput(t, port)
      input.socket.write(Buffer.alloc(23))
      return input
    },
  },
  {
    name: 'that stops within a frame',
    reason: 'frame-timeout',
    async say(t, port) {
      const peer = await connectPeer(t, port, KEY)
      peer.socket.write(peer.frame('stats()').subarray(0, 10))
      return peer
    },
  },
  {
    name: 'that has nothing to say after the handshake',
    reason: 'idle',
    say: (t, port) => connectPeer(t, port, KEY),
  },
  {
    name: 'that has nothing more to say',
    reason: 'idle',
    async say(t, port) {
      const peer = await connectPeer(t, port, KEY)
      await peer.ask('stats()')
      return peer
    },
  },
]

for (const { name, reason, say } of SILENCES) {
  test(`a client ${name} is closed: ${reason}`, async (t) => {
    const limits = reason === 'idle' ? { idleTimeoutMs: 80 } : { handshakeTimeoutMs: 80 }
    const { port, refused } = await startControl(t, limits)
    const input = await say(t, port)
    assert.equal((await input.rest()).length, 0)
    assert.deepEqual(refused, [reason])
  })
}

test('a frame that trickles in has one limit from its beginning', async (t) => {
  const { port, lines, refused } = await startControl(t, { handshakeTimeoutMs: 150 })
  const peer = await connectPeer(t, port, KEY)
  // Every piece comes well within the limit; all of them do not.
  const trickle = setInterval(() => peer.socket.write(Uint8Array.of(255)), 10)
  t.after(() => clearInterval(trickle))
  await peer.rest()
  assert.deepEqual([lines, refused], [[], ['frame-timeout']])
})

test('a command may take longer than a client may be idle', async (t) => {
  const { port, refused } = await startControl(
    t,
    { idleTimeoutMs: 60, handshakeTimeoutMs: 60 },
    {
      runLine: (line) => new Promise((resolve) => setTimeout(() => resolve(line), 200)),
    },
  )
  const peer = await connectPeer(t, port, KEY)
  assert.equal(await peer.ask('slow'), 'slow')
  assert.deepEqual(refused, [])
})

test('a client that takes no answers is read no further, and then closed', async (t) => {
  let run = 0
  const { port, refused } = await startControl(
    t,
    { idleTimeoutMs: 300 },
    {
      runLine: async () => {
        run += 1
        return 'x'.repeat(60_000)
      },
    },
  )
  const peer = await connectPeer(t, port, KEY)
  peer.socket.pause()
  const frames = Array.from({ length: 400 }, () => peer.frame('x'))
  peer.socket.write(Buffer.concat(frames))
  await until(() => refused.length > 0, 'the server closes the connection')
  assert.deepEqual(refused, ['idle'])
  // The system's buffers hold some megabytes of answers; the rest of 24 MB was never looked at.
  assert.ok(run < frames.length, `${run} commands ran`)
})

test('the oldest client that has not shown the key makes room for a new one', async (t) => {
  const { port, refused } = await startControl(t, { maxConnections: 3 })
  const operator = await connectPeer(t, port, KEY)
  await operator.ask('stats()')
  const strangers = [await connectPeer(t, port, KEY), await connectPeer(t, port, KEY)]
  const newcomer = await connectPeer(t, port, KEY)
  assert.equal((await strangers[0]?.rest())?.length, 0)
  assert.deepEqual(refused, ['too-many'])
  assert.equal(await newcomer.ask('let me in'), '<let me in>')
  assert.equal(await operator.ask('still here'), '<still here>')
  assert.equal(await strangers[1]?.ask('me too'), '<me too>')
})

test('when all clients have shown the key a further one is refused', async (t) => {
  const { port, refused } = await startControl(t, { maxConnections: 2 })
  const operators = [await connectPeer(t, port, KEY), await connectPeer(t, port, KEY)]
  for (const operator of operators) await operator.ask('stats()')
  const input = await openInput(t, port)
  assert.equal((await input.rest()).length, 0)
  assert.deepEqual(refused, ['too-many'])
  for (const operator of operators) assert.equal(await operator.ask('more'), '<more>')
})

test('a stop sends the answer of the command that runs, and runs no other', async (t) => {
  const slow = Promise.withResolvers<string>()
  const run: string[] = []
  const { server, port } = await startControl(
    t,
    {},
    {
      runLine: async (line) => {
        run.push(line)
        return slow.promise
      },
    },
  )
  const [busy, idle] = [await connectPeer(t, port, KEY), await connectPeer(t, port, KEY)]
  busy.socket.write(Buffer.concat([busy.frame('first'), busy.frame('second')]))
  await until(() => run.length === 1, 'the command runs')
  const stopped = server.stop(10_000)
  assert.equal((await idle.rest()).length, 0)
  slow.resolve('x'.repeat(60_000))
  assert.equal((await busy.receive()).length, 60_000)
  assert.equal((await busy.rest()).length, 0)
  busy.socket.end()
  idle.socket.end()
  assert.equal(await stopped, undefined)
  assert.deepEqual(run, ['first'])
})

test('a stop waits no longer than it may, and says what it cut', async (t) => {
  let isRunning = false
  const { server, port } = await startControl(
    t,
    {},
    {
      runLine: () => {
        isRunning = true
        return new Promise(() => undefined)
      },
    },
  )
  const peer = await connectPeer(t, port, KEY)
  peer.send('for ever')
  await until(() => isRunning, 'the command runs')
  assert.equal(await server.stop(50), '1 control connections with a command in progress were cut')
  assert.equal(await server.stop(50), '1 control connections with a command in progress were cut')
})

test('the address is free for another server as soon as a stop has begun', async (t) => {
  const slow = Promise.withResolvers<string>()
  const first = await startControl(t, {}, { runLine: () => slow.promise })
  const peer = await connectPeer(t, first.port, KEY)
  peer.send('reload')
  await until(async () => (await first.metric('trackalert_control_logins_total')) === 1, 'the command runs')
  const stopped = first.server.stop(10_000)
  const newKey = randomBytes(32)
  const second = await startControl(t, { port: first.port, key: newKey })
  const next = await connectPeer(t, second.port, newKey)
  assert.equal(await next.ask('hello'), '<hello>')
  slow.resolve('reloaded')
  assert.equal((await peer.receive()).toString(), 'reloaded')
  peer.socket.end()
  assert.equal(await stopped, undefined)
})

test('an address that is taken is an error that names it', async (t) => {
  const { port } = await startControl(t)
  await assert.rejects(startControl(t, { port }), {
    code: 'TRK_LISTEN_FAILED',
    message: new RegExp(
      `control socket, 127\\.0\\.0\\.1 port ${port}: .*EADDRINUSE.*; stop the program .* controlSocket`,
    ),
  })
})

test('no socket is opened without a key of 32 bytes', async (t) => {
  for (const length of [0, 31, 33]) {
    await assert.rejects(startControl(t, { key: new Uint8Array(length) }), {
      code: 'TRK_CONFIG_INVALID',
      message: new RegExp(`has ${length} bytes instead of 32`),
    })
  }
})

test('a client that breaks off at any moment harms nobody', async (t) => {
  const { port, metric } = await startControl(t)
  const whole = await connectPeer(t, port, KEY)
  const bytes = Buffer.concat([randomBytes(24), frameOf(randomBytes(40))])
  for (let length = 0; length <= bytes.length; length += 3) {
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    socket.write(bytes.subarray(0, length))
    socket.resetAndDestroy()
  }
  assert.equal(await whole.ask('still here'), '<still here>')
  await until(async () => (await metric('trackalert_control_connections')) === 1, 'the others are gone')
})

test('a fault of what runs the lines closes the connection and is logged', async (t) => {
  const { port, log } = await startControl(t, {}, { runLine: () => Promise.reject(new Error('broken')) })
  const peer = await connectPeer(t, port, KEY)
  peer.send('x')
  assert.equal((await peer.rest()).length, 0)
  assert.deepEqual(log.at(-1), {
    level: 'error',
    message: 'a fault in trackalert itself; please report it',
    fields: { where: 'control socket', error: 'broken' },
  })
})
