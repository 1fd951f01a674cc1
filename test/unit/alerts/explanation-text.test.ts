/** The explanation of an alert as people read it. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { AlertEvidence, TrendRead } from '../../../src/alerts/alert-evidence.ts'
import { explanationText } from '../../../src/alerts/explanation-text.ts'

/** 2026-01-05 09:00:00 UTC. */
const AT_MS = 1_767_603_600_000
const ALERT = {
  id: 12,
  rule: 'brute-force',
  key: 'ann',
  severity: 'medium',
  state: 'open',
  count: 1,
  firstAtMs: AT_MS,
  lastAtMs: AT_MS,
} as const
const RAISE: AlertEvidence = {
  atMs: AT_MS,
  severity: 'medium',
  message: '16 passwords were tried',
  reads: [],
  earlierReads: 0,
}

function local(ms: number): string {
  const at = new Date(ms)
  const two = (number: number): string => String(number).padStart(2, '0')
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`
}

test('the whole of it reads as sentences', () => {
  const text = explanationText(
    { ...ALERT, count: 3, lastAtMs: AT_MS + 7_500_000 },
    {
      first: {
        ...RAISE,
        value: 16,
        threshold: 15,
        parameters: '{"passwords":15,"networks":5}',
        reportId: 77,
        report: {
          login: 'ann',
          remote: '192.0.2.1',
          t: AT_MS / 1000,
          success: false,
          failType: 'credentials',
          protocol: 'imap',
          tls: true,
          deviceId: 'Mail 1',
          deviceAttrs: { os: 'X' },
        },
        reads: [{ call: 'twGet', database: 'pack_users', key: 'ann', field: 'wrong', answer: 16 }],
        earlierReads: 2,
      },
      latest: { ...RAISE, message: 'still\nat it', atMs: AT_MS + 7_500_000 },
    },
  )
  const zoned = text.replaceAll(/\d{4}-\d\d-\d\d (\d\d:\d\d:\d\d) [+-]\d\d:\d\d/g, 'DAY $1')
  assert.deepEqual(zoned.split('\n'), [
    'Alert 12: brute-force about ann. It is medium and open.',
    `It was raised 3 times: first at DAY ${local(AT_MS)}, last at DAY ${local(AT_MS + 7_500_000)}, which is 2 hours later.`,
    '',
    `Raised first at DAY ${local(AT_MS)}`,
    '  16 passwords were tried',
    `  Report 77: a login of ann from 192.0.2.1 by imap, encrypted, failed (credentials) at DAY ${local(AT_MS)}.`,
    '  The device said Mail 1, os=X',
    '  The value was 16, 1 above the threshold of 15 (the parameter passwords).',
    '  The parameters of the rule were networks = 5, passwords = 15.',
    '  Until then the policy had asked its trends (2 earlier questions are not kept):',
    '    pack_users, "ann", wrong: 16 over all windows [twGet]',
    '',
    `Raised last at DAY ${local(AT_MS + 7_500_000)}`,
    '  still at it',
    '  The policy had read nothing from trends.',
    '',
  ])
})

const CROSSED: readonly (readonly [evidence: Partial<AlertEvidence>, line: RegExp | undefined])[] = [
  [{ value: 15, threshold: 15 }, /The value was 15 and so reached the threshold\.$/m],
  [{ value: 0.3, threshold: 0.1 }, /The value was 0\.3, 0\.2 above the threshold of 0\.1\.$/m],
  [{ value: 3, threshold: 5 }, /The value was 3, 2 below the threshold of 5\.$/m],
  [{ value: 3 }, /The value was 3; the rule names no threshold/],
  [{ threshold: 5, parameters: '{"a":5}' }, /The threshold was 5 \(the parameter a\)\.$/m],
  // Two parameters of that value: it may be either.
  [{ value: 9, threshold: 5, parameters: '{"a":5,"b":5}' }, /above the threshold of 5\.$/m],
  [{}, undefined],
]

describe('value and threshold are compared in words', () => {
  for (const [evidence, line] of CROSSED) {
    test(JSON.stringify(evidence), () => {
      const text = explanationText(ALERT, { first: { ...RAISE, ...evidence } })
      if (line === undefined) assert.doesNotMatch(text, /threshold|value/)
      else assert.match(text, line)
    })
  }
})

const seen = { first: AT_MS / 1000, last: AT_MS / 1000, count: 4 }
const ANSWERS: readonly (readonly [read: Partial<TrendRead>, text: RegExp])[] = [
  [{ call: 'twGet', answer: 0.123456789 }, /f: 0\.123457 over all windows \[twGet\]/],
  [{ call: 'twGet', item: 'imap', answer: 2 }, /f, "imap": 2 over all windows/],
  [{ call: 'twGetCurrent', answer: 2 }, /: 2 in the current window/],
  [
    { call: 'twGetWindows', answer: [2, 0, 1], entries: 5 },
    /: 2; 0; 1; and 2 more by window, the current one first/,
  ],
  [{ call: 'twSeen', item: 'x', answer: null }, /f, "x": nothing \[twSeen\]/],
  [{ call: 'twSeen', item: 'x', answer: seen }, /f, "x": 4 times, first \d{4}-\d\d-\d\d .*, last \d{4}-/],
  [{ call: 'twItems', answer: [] }, /f: nothing \[twItems\]/],
  [
    { call: 'twItems', answer: [{ item: 'x\ty', ...seen }], entries: 3 },
    /f: "x y" 4 times, .*; and 2 more \[twItems\]/,
  ],
  [{ call: 'twGet', item: 'CORP\\tom', answer: 2 }, /f, "CORP\\\\tom": 2 over/],
  [{ call: 'twItems', item: '1', answer: [{ item: 'x', ...seen }] }, /f: "x" 4 times/],
  [{ call: 'twTop', item: '3', answer: [{ item: 'ann', count: 7 }] }, /f: "ann" 7 \[twTop\]/],
  [{ call: 'twLast', answer: ['Bern', AT_MS / 1000] }, /f: Bern, set \d{4}-/],
  [
    { call: 'twBaseline', answer: { mean: 2, stddev: 0.5, samples: 9 } },
    /f: usual is 2, standard deviation 0\.5, of 9 samples/,
  ],
  [{ call: 'twScore', item: '7', answer: 2.5 }, /f: 2\.5 standard deviations for 7/],
  [{ call: 'twScore', item: '7', answer: null }, /f: not known yet/],
  [{ call: 'twLater', answer: { a: 1 } }, /f: \{"a":1\} \[twLater\]/],
]

describe('what a question to trends answered is said in words', () => {
  for (const [read, expected] of ANSWERS) {
    test(JSON.stringify(read), () => {
      const asked = { call: '', database: 'db', key: 'k', field: 'f', answer: null, ...read }
      assert.match(explanationText(ALERT, { first: { ...RAISE, reads: [asked] } }), expected)
    })
  }
})

test('an alert of which nothing is kept says so', () => {
  assert.match(explanationText(ALERT, {}), /\n\nWhat the policy had read is not kept: /)
})

test('when only one of two raises is kept it is said which, and what became of the other', () => {
  const again = { ...ALERT, count: 2, lastAtMs: AT_MS + 1000 }
  const first = explanationText(again, { first: RAISE })
  assert.match(first, /^Raised first at /m)
  assert.match(first, /\n\nWhat the policy had read the last time is not kept: /)
  const latest = explanationText(again, { latest: RAISE })
  assert.match(latest, /^Raised last at /m)
  assert.match(latest, /\n\nWhat the policy had read the first time is not kept: /)
  assert.doesNotMatch(explanationText(again, { first: RAISE, latest: RAISE }), /not kept/)
  assert.doesNotMatch(explanationText(ALERT, { first: RAISE }), /not kept|Raised first/)
})

test('what a login chose does not drive a terminal or break a line', () => {
  const text = explanationText(
    { ...ALERT, key: 'a\u001b[2J\nb' },
    { first: { ...RAISE, message: '\u009b2J\u2028x' } },
  )
  // oxlint-disable-next-line no-control-regex -- these are what must not be there
  assert.doesNotMatch(text.replaceAll('\n', ''), /[\u0000-\u001f\u007f-\u009f\u2028]/)
})
