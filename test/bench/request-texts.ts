/**
 * The requests of the load client, ready to be sent before the clock runs: the same numbers are the same requests, so that
 * all servers get the same work.
 */
import { addressOf, loginOf } from './bench-keys.ts'
import type { LoadOrder } from './load-messages.ts'
import type { SimulatedBodies } from './simulated-bodies.ts'

const USERS = 1_000
const ADDRESSES = 256
/** Different requests of a few keys; they are sent again and again, in order. */
const TEXTS = 8_192
/** As senders with a queue put them together. */
const REPORTS_AT_ONCE = 512
const PROTOCOLS = ['imap', 'smtp', 'http', 'pop3'] as const

type Below = (limit: number) => number

/** @param simulated - where bodies of simulated reports come from */
export function requestTexts(order: LoadOrder, simulated: SimulatedBodies): readonly Buffer[] {
  return bodiesOf(order, simulated).map((body) => requestText(order, body))
}

function bodiesOf(order: LoadOrder, simulated: SimulatedBodies): readonly string[] {
  const { body, keys = USERS + ADDRESSES, first = 0, requests } = order
  const half = Math.max(1, Math.floor(keys / 2))
  const numbers = Array.from({ length: requests }, (_, index) => first + index)
  switch (body) {
    case 'report': {
      const below = randomBelow(1)
      return Array.from({ length: TEXTS }, (_, number) =>
        JSON.stringify(reportOf(number, fewNames(below), below)),
      )
    }
    case 'endpoint': {
      const below = randomBelow(1)
      return Array.from({ length: TEXTS }, () => JSON.stringify({ attrs: fewNames(below) }))
    }
    case 'any-key': {
      const below = randomBelow(first + 1)
      return numbers.map((number) => {
        const names = { login: loginOf(below(half)), remote: addressOf(below(half)) }
        return JSON.stringify(reportOf(number, names, below))
      })
    }
    case 'each-key':
      return numbers.map((number) => recordsOf(number * REPORTS_AT_ONCE, half))
    case 'simulated':
      return simulated.take(first, requests)
    default:
      return body satisfies never
  }
}

/** Requests of `each-key` until every key was there. */
export function requestsForEachKey(keys: number): number {
  return Math.ceil(keys / 2 / REPORTS_AT_ONCE)
}

/** Small numbers from a seed: a 32-bit linear congruential generator (Numerical Recipes). */
function randomBelow(seed: number): Below {
  let state = seed
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * limit)
  }
}

interface Names {
  readonly login: string
  readonly remote: string
}

function fewNames(below: Below): Names {
  return { login: `user${below(USERS)}@example.com`, remote: `192.0.2.${below(ADDRESSES)}` }
}

function recordsOf(from: number, keys: number): string {
  const below = randomBelow(from + 1)
  const records = Array.from({ length: REPORTS_AT_ONCE }, (_, index) => {
    const number = (from + index) % keys
    return { value: reportOf(number, { login: loginOf(number), remote: addressOf(number) }, below) }
  })
  return JSON.stringify({ records })
}

/** All keys of a report, as wforce sends them; one in three succeeds. */
function reportOf(number: number, { login, remote }: Names, below: Below): object {
  const success = below(3) === 0
  return {
    attrs: {},
    device_attrs: {},
    device_id: '',
    fail_type: success ? '' : 'credentials',
    login,
    policy_reject: false,
    protocol: PROTOCOLS[number % PROTOCOLS.length],
    pwhash: '5f4d',
    remote,
    session_id: `s${number}`,
    success,
    t: 1_750_000_000.5 + number,
    tls: true,
    type: 'wforce_report',
  }
}

function requestText({ url, path, authorization }: LoadOrder, body: string): Buffer {
  return Buffer.from(
    [
      `POST ${path} HTTP/1.1`,
      `Host: ${new URL(url).host}`,
      `Authorization: ${authorization}`,
      'Content-Type: application/json',
      `Content-Length: ${Buffer.byteLength(body)}`,
      '',
      body,
    ].join('\r\n'),
  )
}
