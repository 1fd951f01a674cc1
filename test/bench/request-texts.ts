/**
 * The requests of the load client, ready to be sent: the same for every run, so that all servers get the same work.
 */
import type { LoadOrder } from './load-messages.ts'

const USERS = 1_000
const ADDRESSES = 256
/** Different requests; they are sent again and again, in order. */
const TEXTS = 8_192
const PROTOCOLS = ['imap', 'smtp', 'http', 'pop3'] as const

/** Multiplier and increment of a 32-bit linear congruential generator (Numerical Recipes). */
function nextRandom(state: number): number {
  return (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
}

export function requestTexts(order: LoadOrder): readonly Buffer[] {
  const texts: Buffer[] = []
  let random = 1
  const below = (limit: number): number => {
    random = nextRandom(random)
    return Math.floor((random / 2 ** 32) * limit)
  }
  for (let number = 0; number < TEXTS; number++) {
    const login = `user${below(USERS)}@example.com`
    const remote = `192.0.2.${below(ADDRESSES)}`
    const body =
      order.body === 'endpoint'
        ? { attrs: { login, remote } }
        : reportOf(number, { login, remote }, below(3) === 0)
    texts.push(requestText(order, JSON.stringify(body)))
  }
  return texts
}

/** All keys, as wforce sends them. */
function reportOf(
  number: number,
  { login, remote }: { readonly login: string; readonly remote: string },
  success: boolean,
): object {
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
