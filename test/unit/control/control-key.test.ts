import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { parseControlKey } from '../../../src/control/control-key.ts'

const KEYS = fc.uint8Array({ minLength: 32, maxLength: 32 })

describe('the key of the control socket', () => {
  for (const alphabet of ['base64', 'base64url'] as const) {
    it(`is read as it was written in ${alphabet}`, () => {
      fc.assert(
        fc.property(KEYS, (key) => {
          assert.deepEqual(parseControlKey(Buffer.from(key).toString(alphabet)), key)
        }),
      )
    })
  }

  it('may lack its padding', () => {
    const key = new Uint8Array(32).fill(0xfb)
    assert.deepEqual(parseControlKey(Buffer.from(key).toString('base64').replace('=', '')), key)
  })

  for (const [what, text] of [
    ['nothing', ''],
    ['31 bytes', Buffer.alloc(31).toString('base64')],
    ['33 bytes', Buffer.alloc(33).toString('base64')],
    ['a blank at its end', `${Buffer.alloc(32).toString('base64')} `],
    ['both alphabets', `+_${Buffer.alloc(32).toString('base64url').slice(2)}`],
    ['hexadecimal digits', Buffer.alloc(32).toString('hex')],
    ['bits behind its end', `${Buffer.alloc(32).toString('base64url').slice(0, -1)}B`],
  ] as const) {
    it(`is refused: ${what}`, () => assert.equal(parseControlKey(text), undefined))
  }
})
