import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { partitionOfLogin } from '../../../src/ingest/login-partition.ts'

test('a login always gets the same partition, within bounds', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 256 }), (login, partitions) => {
      const partition = partitionOfLogin(login, partitions)
      assert.ok(Number.isInteger(partition) && partition >= 0 && partition < partitions)
      assert.equal(partitionOfLogin(login, partitions), partition)
    }),
  )
})

test('the hash is 32-bit FNV-1a over the low and high byte of each code unit', () => {
  // The same definition in big integers: http://www.isthe.com/chongo/tech/comp/fnv/
  const oracle = (login: string): number => {
    let hash = 0x811c9dc5n
    for (const byte of Buffer.from(login, 'utf16le'))
      hash = ((hash ^ BigInt(byte)) * 0x01000193n) & 0xffffffffn
    return Number(hash)
  }
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (login) => {
      assert.equal(partitionOfLogin(login, 2 ** 32), oracle(login))
    }),
  )
})

test('logins of one site spread evenly', () => {
  const counts = Array.from({ length: 8 }, () => 0)
  for (let user = 0; user < 8000; user++) {
    const partition = partitionOfLogin(`user${user}@example.com`, 8)
    counts[partition] = (counts[partition] ?? 0) + 1
  }
  for (const count of counts) assert.ok(count > 850 && count < 1150, counts.join(' '))
})
