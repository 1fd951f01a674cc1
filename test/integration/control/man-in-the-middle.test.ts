/**
 * Somebody sits between client and server and does what he can with what passes: he learns nothing and changes nothing.
 * What the server runs is a beginning of what the client sent, and what the client takes for answers is a beginning of
 * what the server answered.
 */
import assert from 'node:assert/strict'
import { connect, createServer, type Socket } from 'node:net'
import { describe, test, type TestContext } from 'node:test'
import { connectControl } from '../../../src/control/control-client.ts'
import { KEY, startControl } from '../../support/control-fixture.ts'
import { frameOf, SocketInput } from '../../support/control-peer.ts'
import { listenLocal } from '../../support/listen-local.ts'

const LINES = ['showConfig()', 'return "a secret"', 'incCustomStat("x")', ''] as const
const ANSWERS = LINES.map((line) => `<${line}>`)
const NONCE_BYTES = 24
const PATIENCE_MS = 400

type Direction = 'commands' | 'answers'

/** What the man in the middle does with one frame of a direction. */
interface Attack {
  readonly name: string
  /** @returns the frames to pass on in its place. */
  readonly apply: (frame: Buffer, scene: Scene) => readonly Buffer[]
}

interface Scene {
  /** Frames kept back, to be passed on later. */
  held: Buffer[]
  /** The last frame that went the other way. */
  readonly opposite: Buffer | undefined
  readonly towards: Socket
  readonly back: Socket
}

const ATTACKS: readonly Attack[] = [
  { name: 'repeats it', apply: (frame) => [frame, frame] },
  { name: 'drops it', apply: () => [] },
  {
    name: 'passes it on after the next one',
    apply(frame, scene) {
      scene.held.push(frame)
      return []
    },
  },
  { name: 'flips the first bit of the MAC', apply: (frame) => [flipped(frame, 2)] },
  { name: 'flips the last bit', apply: (frame) => [flipped(frame, frame.length - 1)] },
  { name: 'shortens it', apply: (frame) => [frameOf(frame.subarray(2, -1))] },
  { name: 'adds a byte', apply: (frame) => [frameOf(Buffer.concat([frame.subarray(2), Buffer.alloc(1)]))] },
  { name: 'puts an empty box in its place', apply: () => [frameOf(Buffer.alloc(16))] },
  { name: 'puts a box too short before it', apply: (frame) => [frameOf(Buffer.alloc(3)), frame] },
  {
    name: 'sends it back to its sender',
    apply(frame, { back }) {
      back.write(frame)
      return []
    },
  },
  {
    name: 'puts one of the other direction in its place',
    apply: (frame, { opposite }) => [opposite ?? flipped(frame, 5)],
  },
  {
    name: 'breaks off within it',
    apply(frame, { towards }) {
      towards.end(frame.subarray(0, frame.length - 3))
      return []
    },
  },
]

function flipped(frame: Buffer, index: number): Buffer {
  const copy = Buffer.from(frame)
  copy[index] = (copy[index] ?? 0) ^ 1
  return copy
}

interface Proxy {
  readonly port: number
  /** Everything that went through, both ways. */
  readonly seen: readonly Buffer[]
}

/** Passes frames on, except the one at `index` of `direction`, which it gives to the attack. */
async function startProxy(
  t: TestContext,
  target: number,
  plan: { readonly attack: Attack; readonly direction: Direction; readonly index: number } | undefined,
): Promise<Proxy> {
  const seen: Buffer[] = []
  const last = new Map<Direction, Buffer>()
  const relay = async (from: SocketInput, towards: Socket, direction: Direction): Promise<void> => {
    const scene = { held: [] as Buffer[], towards, back: from.socket }
    const hello = await from.take(NONCE_BYTES)
    seen.push(hello)
    towards.write(hello)
    for (let index = 0; ; index++) {
      const header = await from.take(2)
      const frame = Buffer.concat([header, await from.take(header.readUInt16BE(0))])
      seen.push(frame)
      const isIt = plan?.direction === direction && plan.index === index
      const opposite = last.get(direction === 'commands' ? 'answers' : 'commands')
      const frames = isIt
        ? plan.attack.apply(frame, { ...scene, opposite })
        : [frame, ...scene.held.splice(0)]
      last.set(direction, frame)
      for (const each of frames) if (towards.writable) towards.write(each)
    }
  }
  const server = createServer({ noDelay: true }, (client) => {
    const upstream = connect({ port: target, host: '127.0.0.1', noDelay: true })
    const ends = [new SocketInput(client), new SocketInput(upstream)] as const
    const over = (): void => {
      client.destroy()
      upstream.destroy()
    }
    // When one side has closed the other has nothing to wait for.
    relay(ends[0], upstream, 'commands').catch(over)
    relay(ends[1], client, 'answers').catch(over)
  })
  return { port: await listenLocal(t, server), seen }
}

/** All lines at once, so that there is something to reorder; what was answered, up to the first that was not. */
async function sendAll(t: TestContext, port: number): Promise<readonly string[]> {
  const connection = await connectControl({
    host: '127.0.0.1',
    port,
    key: KEY,
    connectTimeoutMs: 10_000,
    answerTimeoutMs: PATIENCE_MS,
  })
  t.after(() => connection.close())
  const results = await Promise.allSettled(LINES.map((line) => connection.run(line)))
  const lost = results.findIndex(({ status }) => status === 'rejected')
  const answered = lost < 0 ? results : results.slice(0, lost)
  for (const late of results.slice(answered.length)) {
    assert.equal(late.status, 'rejected')
    assert.match(String((late.reason as { readonly code: unknown }).code), /^TRK_CONTROL_(REFUSED|CLOSED)$/)
  }
  return answered.map((result) => (result.status === 'fulfilled' ? result.value : ''))
}

test('he who only listens learns how long the messages are, and no more', async (t) => {
  const { port, lines } = await startControl(t)
  const proxy = await startProxy(t, port, undefined)
  assert.deepEqual([await sendAll(t, proxy.port), lines], [ANSWERS, LINES])
  const [first, second] = [proxy.seen.length, proxy.seen.length * 2]
  assert.deepEqual(await sendAll(t, proxy.port), ANSWERS)
  assert.equal(proxy.seen.length, second)
  const text = Buffer.concat(proxy.seen).toString('latin1')
  for (const line of LINES.filter((each) => each !== '')) assert.ok(!text.includes(line))
  // The same conversation looks different each time.
  const frames = (from: number, to: number): readonly string[] =>
    proxy.seen.slice(from, to).map((frame) => frame.toString('hex'))
  assert.equal(new Set([...frames(0, first), ...frames(first, second)]).size, second)
})

for (const direction of ['commands', 'answers'] as const) {
  describe(`of the ${direction}, he takes one and`, () => {
    for (const attack of ATTACKS) {
      test(`${attack.name}: nothing is believed but what was sent, in its order`, async (t) => {
        for (let index = 0; index < LINES.length; index++) {
          const { port, lines } = await startControl(t)
          const proxy = await startProxy(t, port, { attack, direction, index })
          const answers = await sendAll(t, proxy.port)
          assert.deepEqual(lines, LINES.slice(0, lines.length), 'what the server ran')
          assert.deepEqual(answers, ANSWERS.slice(0, answers.length), 'what the client took for answers')
          // Nothing from the attacked message on counts; of one that is repeated the first does.
          const most = attack.name === 'repeats it' ? index + 1 : index
          const run = direction === 'commands' ? lines.length : answers.length
          assert.ok(run <= most, `${run} messages of the attacked direction were believed`)
        }
      })
    }
  })
}

test('a recording of one connection means nothing to another', async (t) => {
  const { port, lines, refused } = await startControl(t)
  const proxy = await startProxy(t, port, undefined)
  await sendAll(t, proxy.port)
  const before = [...lines]
  // All that the client ever said, from its handshake on: the server's half of the handshake is another now.
  const commands = proxy.seen.filter((_, index) => index !== 1)
  const socket = connect(port, '127.0.0.1')
  const input = new SocketInput(socket)
  t.after(() => socket.destroy())
  socket.write(Buffer.concat(commands))
  assert.equal((await input.rest()).length, NONCE_BYTES)
  assert.deepEqual([lines, refused], [before, ['bad-mac']])
})
