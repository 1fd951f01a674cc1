import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createPasswordCheck } from '../../../src/http/password-check.ts'

const header = (text: string, scheme = 'Basic'): string => `${scheme} ${Buffer.from(text).toString('base64')}`

const CASES = [
  ['right', header('wforce:secret'), true],
  ['right with any user name', header('somebody else:secret'), true],
  ['right with an empty user name', header(':secret'), true],
  ['right with the scheme in lower case', header('wforce:secret', 'basic'), true],
  ['longer than the right one', header('wforce:secret2'), false],
  ['shorter than the right one', header('wforce:secre'), false],
  ['empty', header('wforce:'), false],
  ['without a user name and colon', header('secret'), false],
  ['of another scheme', header('wforce:secret', 'Bearer'), false],
  ['not in base64', 'Basic !!!!', false],
  ['a scheme only', 'Basic', false],
  ['an empty header', '', false],
  ['no header', undefined, false],
] as const

for (const [what, authorization, expected] of CASES) {
  test(`a password that is ${what} is ${expected ? 'accepted' : 'refused'}, every time`, () => {
    const check = createPasswordCheck('secret')
    assert.deepEqual([check(authorization), check(authorization)], [expected, expected])
  })
}

test('a colon may be anywhere in the password', () => {
  for (const password of ['a:b', ':', ':a', 'a:', '::']) {
    assert.equal(createPasswordCheck(password)(header(`wforce:${password}`)), true, password)
  }
})

test('a password may have bytes that are not UTF-8', () => {
  const check = createPasswordCheck('p\udcffw')
  const given = Buffer.concat([Buffer.from('u:p'), Buffer.from([0xff]), Buffer.from('w')])
  assert.equal(check(`Basic ${given.toString('base64')}`), true)
  assert.equal(check(header('u:p\ufffdw')), false)
})

test('without a password nobody is let in', () => {
  for (const password of [undefined, '']) {
    const check = createPasswordCheck(password)
    for (const authorization of [undefined, header('wforce:'), header(':')]) {
      assert.equal(check(authorization), false)
    }
  }
})

test('more user names than are remembered are accepted all the same', () => {
  const check = createPasswordCheck('secret')
  for (let round = 0; round < 2; round++) {
    for (let user = 0; user < 50; user++) assert.equal(check(header(`user${user}:secret`)), true)
    assert.equal(check(header('user1:wrong')), false)
  }
})
