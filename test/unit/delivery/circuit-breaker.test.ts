import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CircuitBreaker } from '../../../src/delivery/circuit-breaker.ts'

const OPTIONS = { failuresToOpen: 3, firstProbeDelayMs: 1000, maxProbeDelayMs: 4000 }
/** With this the jitter gives the full delay, but for a hair. */
const HIGHEST = 1 - Number.EPSILON
const LIMIT = 10

function failing(times: number): CircuitBreaker {
  const breaker = new CircuitBreaker(() => HIGHEST, OPTIONS)
  for (let count = 0; count < times; count++) breaker.failed(breaker.begin(), 0)
  return breaker
}

test('a closed breaker lets as many through as the limit says', () => {
  assert.equal(failing(2).admits(0, 4, LIMIT), 6)
  assert.equal(failing(0).admits(0, 12, LIMIT), 0)
})

test('a success between failures keeps it closed', () => {
  const breaker = failing(2)
  breaker.succeeded()
  breaker.failed(breaker.begin(), 0)
  breaker.failed(breaker.begin(), 0)
  assert.equal(breaker.isOpen, false)
})

test('an open breaker lets one through at a time, after a pause', () => {
  const breaker = failing(3)
  assert.equal(breaker.isOpen, true)
  assert.equal(breaker.admits(900, 0, LIMIT), 0)
  assert.equal(breaker.admits(1000, 0, LIMIT), 1)
  assert.equal(breaker.admits(1000, 1, LIMIT), 0)
})

test('the pause doubles with every failed probe, up to its maximum', () => {
  const breaker = failing(3)
  const pauses = [1, 2, 3, 4].map(() => {
    const nowMs = breaker.notBeforeMs
    breaker.failed(breaker.begin(), nowMs)
    return Math.round(breaker.notBeforeMs - nowMs)
  })
  assert.deepEqual(pauses, [2000, 4000, 4000, 4000])
})

test('failures of tries that began before it opened do not lengthen the pause', () => {
  const breaker = new CircuitBreaker(() => HIGHEST, OPTIONS)
  const tickets = Array.from({ length: 50 }, () => breaker.begin())
  for (const ticket of tickets) breaker.failed(ticket, 0)
  assert.equal(Math.round(breaker.notBeforeMs), 1000)
})

test('any success closes it at once', () => {
  const breaker = failing(5)
  breaker.succeeded()
  assert.equal(breaker.admits(0, 0, LIMIT), LIMIT)
})

test('a pause that the receiver asked for holds although it is closed', () => {
  const breaker = failing(0)
  breaker.pauseUntil(5000)
  breaker.succeeded()
  assert.equal(breaker.admits(4999, 0, LIMIT), 0)
  assert.equal(breaker.admits(5000, 0, LIMIT), LIMIT)
})
