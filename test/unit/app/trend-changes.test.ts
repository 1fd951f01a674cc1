import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeTrendChanges } from '../../../src/app/trend-changes.ts'
import { defined } from '../../support/trend-fixtures.ts'

const fields = (names: Readonly<Record<string, string>>): ReadonlyMap<string, string> =>
  new Map(Object.entries(names))
const options = {}
const logins = defined({ name: 'logins', fields: fields({ count: 'int', ips: 'hll' }), options })

test('a database that is as it was is not worth a line', () => {
  const again = defined({ name: 'logins', fields: fields({ count: 'int', ips: 'hll' }), options })
  assert.deepEqual(describeTrendChanges([logins], [again]), [])
})

test('new, changed and missing databases are told, and everything that is dropped', () => {
  const changed = defined({ name: 'logins', fields: fields({ count: 'int', ips: 'countmin' }), options })
  const added = defined({ name: 'networks', fields: fields({ count: 'int' }), options })
  const gone = defined({ name: 'devices', fields: fields({ count: 'int' }), options })
  assert.deepEqual(describeTrendChanges([gone, logins], [changed, added]), [
    {
      level: 'warn',
      message: 'a trend database is not defined any more; what is stored of it expires in its time',
      fields: { database: 'devices' },
    },
    {
      level: 'info',
      message: 'a trend database has changed',
      fields: { database: 'logins', kept: 'count' },
    },
    {
      level: 'warn',
      message: 'stored trends are dropped',
      fields: { database: 'logins', dropped: 'field ips: its type was hll and is countmin' },
    },
    { level: 'info', message: 'a trend database is new', fields: { database: 'networks' } },
  ])
})
