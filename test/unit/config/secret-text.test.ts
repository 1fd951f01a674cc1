import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { SecretText } from '../../../src/config/secret-text.ts'

const secret = new SecretText('hunter2-hunter2')

test('only reveal() gives a secret back', () => {
  assert.equal(secret.reveal(), 'hunter2-hunter2')
})

const printers: readonly (readonly [string, () => string])[] = [
  ['String()', () => String(secret)],
  ['JSON', () => JSON.stringify({ secret })],
  ['inspect', () => inspect({ secret }, { showHidden: true, depth: 9 })],
  ['listing its properties', () => JSON.stringify(Object.entries(secret))],
]

for (const [name, print] of printers) {
  test(`${name} does not show a secret`, () => {
    assert.ok(!print().includes('hunter2'), print())
  })
}
