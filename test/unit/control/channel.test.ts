/** The codec of the control socket, against a cipher and nonces that were written apart from it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ControlChannel, isReflected, MAX_MESSAGE_BYTES } from '../../../src/control/channel.ts'
import { frameOf, Nonce } from '../../support/control-peer.ts'
import { openBox, sealBox } from '../../support/secret-box.ts'

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/\s/g, ''), 'hex')

/** The example of NaCl's paper, https://cr.yp.to/highspeed/naclcrypto-20090310.pdf. */
const EXAMPLE = {
  key: hex('1b27556473e985d462cd51197a9a46c76009549eac6474f206c4ee0844f68389'),
  nonce: hex('69696ee955b62b73cd62bda875fc73d68219e0036b7a0b37'),
  message:
    hex(`be075fc53c81f2d5cf141316ebeb0c7b5228c52a4c62cbd44b66849b64244ffce5ecbaaf33bd751a1ac728d45e6c61296c
    dc3c01233561f41db66cce314adb310e3be8250c46f06dceea3a7fa1348057e2f6556ad6b1318a024a838f21af1fde048977eb48f59ffd49
    24ca1c60902e52f0a089bc76897040e082f937763848645e0705`),
  box: hex(`f3ffc7703f9400e52a7dfb4b3d3305d98e993b9f48681273c29650ba32fc76ce48332ea7164d96a4476fb8c531a1186ac0dfc1
    7c98dce87b4da7f011ec48c97271d2c20f9b928fe2270d6fb863d51738b48eeee314a7cc8ab932164548e526ae90224368517acfeabd6bb3
    732bc0e9da99832b61ca01b6de56244a9e88d5f9b37973f622a43d14a6599b1f654cb45a74e355a5`),
} as const

/** First 12 bytes, last 12 bytes: what each side sends so that the server writes with EXAMPLE.nonce. */
const clientHello = Buffer.concat([EXAMPLE.nonce.subarray(0, 12), Buffer.alloc(12, 0xcc)])
const serverHello = Buffer.concat([Buffer.alloc(12, 0x55), EXAMPLE.nonce.subarray(12)])

const server = (): ControlChannel =>
  new ControlChannel({ key: EXAMPLE.key, ownNonce: serverHello, peerNonce: clientHello })
const client = (): ControlChannel =>
  new ControlChannel({ key: EXAMPLE.key, ownNonce: clientHello, peerNonce: serverHello })

/** Made with the independent cipher; the counter wraps between the first and the second. */
const CONVERSATION = [
  '0017b4a7396b1bddcc5429ff92c53c7d8b9a17532004e68e89',
  '00108d88808c970ca4f7661714ae06b162a8',
  '0017785a51d201a8d2841a8fadbfd078dd08dce419d4c616b4',
] as const

test('the first frame of the server is the example of NaCl with its length in front', () => {
  assert.deepEqual(sealBox(EXAMPLE.message, EXAMPLE.nonce, EXAMPLE.key), EXAMPLE.box)
  assert.deepEqual(Buffer.from(server().seal(EXAMPLE.message)), frameOf(EXAMPLE.box))
  assert.deepEqual(Buffer.from(client().open(EXAMPLE.box) ?? []), EXAMPLE.message)
})

test('the frames of a conversation with fixed nonces are these', () => {
  const fixed = {
    key: Buffer.from(Array.from({ length: 32 }, (_, index) => index)),
    ownNonce: Buffer.alloc(24, 0x0a),
    peerNonce: Buffer.concat([hex('ffffffff'), Buffer.alloc(20, 0x0b)]),
  }
  const channel = new ControlChannel(fixed)
  const frames = ['stats()', '', 'stats()'].map((line) =>
    Buffer.from(channel.seal(Buffer.from(line))).toString('hex'),
  )
  assert.deepEqual(frames, CONVERSATION)
})

test('the counter wraps from ffffffff to 0 and leaves the other bytes of the nonce', () => {
  const wrapping = Buffer.concat([hex('fffffffe'), Buffer.alloc(20, 7)])
  const handshake = { key: EXAMPLE.key, ownNonce: Buffer.alloc(24, 9), peerNonce: wrapping }
  const channel = new ControlChannel(handshake)
  for (const counter of ['fffffffe', 'ffffffff', '00000000', '00000001']) {
    const nonce = Buffer.concat([hex(counter), Buffer.alloc(8, 7), Buffer.alloc(12, 9)])
    assert.deepEqual(openBox(channel.seal(Buffer.from('x')).subarray(2), nonce, EXAMPLE.key)?.toString(), 'x')
  }
})

test('whatever is said, both sides and the independent cipher agree', () => {
  const bytes = (length: number): fc.Arbitrary<Buffer> =>
    fc.uint8Array({ minLength: length, maxLength: length }).map((array) => Buffer.from(array))
  const messages = fc.array(fc.tuple(fc.boolean(), fc.uint8Array({ maxLength: 300 })), { maxLength: 12 })
  fc.assert(
    fc.property(bytes(32), bytes(24), bytes(24), messages, (key, one, other, sent) => {
      const ends = [
        new ControlChannel({ key, ownNonce: one, peerNonce: other }),
        new ControlChannel({ key, ownNonce: other, peerNonce: one }),
      ] as const
      const nonces = [new Nonce(other, one), new Nonce(one, other)] as const
      for (const [isFirst, message] of sent) {
        const from = isFirst ? 0 : 1
        const frame = ends[from].seal(message)
        assert.deepEqual(Buffer.from(frame), frameOf(sealBox(message, nonces[from].take(), key)))
        assert.deepEqual(ends[1 - from]?.open(frame.subarray(2)), message)
      }
    }),
    { numRuns: 60 },
  )
})

test('the longest message fills the length, and is read again', () => {
  const message = Buffer.alloc(MAX_MESSAGE_BYTES, 'x')
  const frame = server().seal(message)
  assert.deepEqual([frame[0], frame[1], frame.length], [0xff, 0xff, 2 + 0xffff])
  assert.deepEqual(Buffer.from(client().open(frame.subarray(2)) ?? []), message)
})

test('a bit that is not as it was sent is noticed, in an empty message too', () => {
  for (const text of ['', 'shutdown()']) {
    const box = server().seal(Buffer.from(text)).subarray(2)
    for (let bit = 0; bit < box.length * 8; bit++) {
      const flipped = Buffer.from(box)
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      assert.equal(client().open(flipped), undefined, `bit ${bit} of "${text}"`)
    }
    assert.equal(Buffer.from(client().open(box) ?? [0]).toString(), text)
  }
})

test('a box that was cut or made longer is noticed', () => {
  const box = server().seal(Buffer.from('stats()')).subarray(2)
  for (let length = 0; length < box.length; length++)
    assert.equal(client().open(box.subarray(0, length)), undefined)
  assert.equal(client().open(Buffer.concat([box, Buffer.alloc(1)])), undefined)
})

test('messages are believed in their order, once, and not by their sender', () => {
  const sender = server()
  const [first, second] = ['first', 'second'].map((text) => sender.seal(Buffer.from(text)).subarray(2))
  assert.ok(first !== undefined && second !== undefined)
  assert.equal(client().open(second), undefined)
  const receiver = client()
  assert.ok(receiver.open(first))
  assert.equal(receiver.open(first), undefined)
  assert.ok(receiver.open(second))
  assert.equal(server().open(first), undefined)
})

test('a handshake that is ours is reflected, also with another counter', () => {
  const mine = Buffer.alloc(24, 5)
  const shifted = Buffer.from(mine)
  shifted.writeUInt32BE(77, 0)
  const other = Buffer.from(mine)
  other[4] = 6
  assert.deepEqual(
    [mine, shifted, other].map((theirs) => isReflected(mine, theirs)),
    [true, true, false],
  )
})
