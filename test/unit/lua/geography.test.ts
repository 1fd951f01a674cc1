/** Helpers of policies about places and times, as Lua sees them. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { addressFunctions, addressTypes } from '../../../src/lua/bindings/addresses.ts'
import { geographyFunctions } from '../../../src/lua/bindings/geography.ts'
import { startLua } from '../../support/lua-harness.ts'

const LONDON = '{ latitude = 51.5074, longitude = -0.1278, city = "London" }'
const PARIS = '{ latitude = 48.8566, longitude = 2.3522 }'
const UNKNOWN = '{ latitude = 0, longitude = 0, country_code = "GB" }'
/** 2024-03-31 00:30 UTC, half an hour before the clocks of London go forward. */
const NIGHT = 1_711_845_000

const CASES: readonly (readonly [expression: string, shown: string])[] = [
  [`math.floor(geoDistance(${LONDON}, ${PARIS}))`, '343'],
  [`geoDistance(${LONDON}, ${LONDON})`, '0'],
  [`geoDistance(${LONDON}, ${UNKNOWN})`, 'nil'],
  [`geoDistance(${UNKNOWN}, ${LONDON})`, 'nil'],
  [`geoDistance(nil, ${LONDON})`, 'nil'],
  [`geoDistance({}, ${LONDON})`, 'nil'],
  [
    `geoDistance("London", ${LONDON})`,
    "error: test:5: bad argument #1 to 'geoDistance' (record1: expected a table, got a string)",
  ],
  [`math.floor(geoSpeed(${LONDON}, 1000, ${PARIS}, 1000 + 3600))`, '343'],
  [`math.floor(geoSpeed(${LONDON}, 8200, ${PARIS}, 1000))`, '171'],
  [`geoSpeed(${LONDON}, 1000, ${PARIS}, 1000) == geoDistance(${LONDON}, ${PARIS}) * 3600`, 'true'],
  [`geoSpeed(${LONDON}, 1000, ${UNKNOWN}, 2000)`, 'nil'],
  ['addressPrefix(newCA("192.0.2.77:25"))', '192.0.2.0/24'],
  ['addressPrefix(newCA("2001:db8:1:2:3::4"))', '2001:db8:1:2::/64'],
  ['addressPrefix(newCA("::ffff:192.0.2.77"))', '192.0.2.0/24'],
  ['addressPrefix("192.0.2.77", 16)', '192.0.0.0/16'],
  ['addressPrefix("2001:db8::1", nil, 32)', '2001:db8::/32'],
  ['addressPrefix("192.0.2.77", 32), addressPrefix("192.0.2.77", 0)', '192.0.2.77/32 0.0.0.0/0'],
  ['addressPrefix("nowhere")', 'error: test:5: "nowhere" is no IP address'],
  [
    'addressPrefix("192.0.2.1", 33)',
    "error: test:5: bad argument #2 to 'addressPrefix' (v4bits: expected a whole number from 0 to 32, got 33)",
  ],
  [`localHour(${NIGHT}, "Europe/London"), localHour(${NIGHT} + 3600, "Europe/London")`, '0 2'],
  [`localHour(${NIGHT}, "Asia/Kolkata"), localHour(${NIGHT}, "UTC"), localHour(${NIGHT}, "+02:00")`, '6 0 2'],
  [`localHour(${NIGHT}, "")`, 'nil'],
  [
    `localHour(${NIGHT}, "Mars/Olympus")`,
    'error: test:5: there is no time zone "Mars/Olympus"; write an IANA name, such as "Europe/London"',
  ],
  [`dayDifference(${NIGHT}, ${NIGHT} + 3600), dayDifference(${NIGHT}, ${NIGHT} - 3600)`, '0 -1'],
  [
    `dayDifference(${NIGHT}, ${NIGHT} - 3600, "Europe/Paris"), dayDifference(${NIGHT} - 3600, ${NIGHT} + 86400, "Europe/Paris")`,
    '0 1',
  ],
  [`dayDifference(${NIGHT}, ${NIGHT}, "")`, 'nil'],
  [
    `dayDifference(${NIGHT}, ${NIGHT}, "Mars/Olympus")`,
    'error: test:5: there is no time zone "Mars/Olympus"; write an IANA name, such as "Europe/London"',
  ],
]

describe('places and times in Lua', () => {
  for (const [expression, shown] of CASES) {
    test(`${expression} is ${shown}`, async (t) => {
      const lua = startLua(t, {
        mode: 'policy',
        functions: [...addressFunctions(), ...geographyFunctions()],
        types: addressTypes(),
      })
      assert.equal(await lua.show(expression), shown)
    })
  }
})
