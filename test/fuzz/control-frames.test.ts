/**
 * Whatever is sent to the control socket, in whatever pieces: the genuine messages before the first thing that is none are
 * run and answered, nothing after it is, and the next client is served.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import fc from 'fast-check'
import { KEY, startControl } from '../support/control-fixture.ts'
import { connectPeer, frameOf, openInput, type ControlPeer } from '../support/control-peer.ts'

const FUZZ_SECONDS = Number(process.env['FUZZ_SECONDS'] ?? 3)

type Step =
  | { readonly kind: 'genuine'; readonly message: Uint8Array }
  | { readonly kind: 'bit-flipped'; readonly message: Uint8Array; readonly place: number }
  | { readonly kind: 'box'; readonly box: Uint8Array }
  | { readonly kind: 'repeat' }
  | { readonly kind: 'noise'; readonly bytes: Uint8Array }

const message = fc.uint8Array({ maxLength: 80 })
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('genuine' as const), message }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('bit-flipped' as const), message, place: fc.nat() }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('box' as const), box: fc.uint8Array({ maxLength: 40 }) }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'repeat' as const }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('noise' as const),
      bytes: fc.uint8Array({ minLength: 1, maxLength: 60 }),
    }),
  },
)

/** The bytes of a step; `last` is the last genuine frame. */
function bytesOf(each: Step, peer: ControlPeer, last: Buffer): Buffer {
  switch (each.kind) {
    case 'genuine':
      return peer.frame(each.message)
    case 'bit-flipped': {
      const frame = peer.frame(each.message)
      const bit = each.place % ((frame.length - 2) * 8)
      frame[2 + (bit >> 3)] = (frame[2 + (bit >> 3)] ?? 0) ^ (1 << (bit & 7))
      return frame
    }
    case 'box':
      return frameOf(each.box)
    case 'repeat':
      return last
    case 'noise':
      return Buffer.from(each.bytes)
    default:
      return each satisfies never
  }
}

async function writeInPieces(peer: ControlPeer, bytes: Buffer, sizes: readonly number[]): Promise<void> {
  let at = 0
  for (let turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1
    // The server may have closed the connection by now.
    if (!peer.socket.writable) return
    await new Promise<void>((resolve) => peer.socket.write(bytes.subarray(at, at + size), () => resolve()))
    at += size
  }
}

test('the genuine beginning of any conversation is run and answered, and no more', async (t) => {
  const run: string[] = []
  const { port } = await startControl(
    t,
    { handshakeTimeoutMs: 5_000 },
    {
      async runLine(line) {
        run.push(line)
        return line
      },
    },
  )
  const sizes = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 10 })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 10 }), sizes, async (steps, chunkSizes) => {
      run.length = 0
      const peer = await connectPeer(t, port, KEY)
      const broken = steps.findIndex(({ kind }) => kind !== 'genuine')
      const genuine = broken < 0 ? steps.length : broken
      const parts: Buffer[] = []
      for (const each of steps) parts.push(bytesOf(each, peer, parts.at(-1) ?? Buffer.alloc(2)))
      await writeInPieces(peer, Buffer.concat(parts), chunkSizes)
      peer.socket.end()
      for (let index = 0; index < genuine; index++) {
        const sent = steps[index]
        assert.ok(sent?.kind === 'genuine')
        assert.deepEqual(new Uint8Array(await peer.receive()), sent.message)
      }
      assert.equal((await peer.rest()).length, 0)
      assert.equal(run.length, genuine)
      peer.socket.destroy()
    }),
    { numRuns: 1_000_000, interruptAfterTimeLimit: FUZZ_SECONDS * 1_000, markInterruptAsFailure: false },
  )
})

test('any bytes from a stranger are answered with 24 bytes at most, and run nothing', async (t) => {
  const { port, lines, refused } = await startControl(t)
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), async (bytes) => {
      const input = await openInput(t, port)
      input.socket.end(bytes)
      const answer = await input.rest()
      assert.equal(answer.length, bytes.length < 24 ? 0 : 24)
      input.socket.destroy()
      await once(input.socket, 'close')
    }),
    { numRuns: 1_000_000, interruptAfterTimeLimit: FUZZ_SECONDS * 1_000, markInterruptAsFailure: false },
  )
  assert.deepEqual(lines, [])
  assert.ok(refused.every((reason) => reason === 'bad-mac' || reason === 'short-frame'))
  const peer = await connectPeer(t, port, KEY)
  assert.equal(await peer.ask('still here'), '<still here>')
})
