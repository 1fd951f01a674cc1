import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { Database } from '../../../src/store/embedded/database.ts'
import { metaKey } from '../../../src/store/embedded/keys.ts'
import { putNumbers, readNumbers } from '../../../src/store/embedded/meta.ts'
import { migrate, type Migration } from '../../../src/store/embedded/migrations.ts'
import { WriteBatch } from '../../../src/store/embedded/write-batch.ts'
import { openStore, temporaryDirectory } from '../../support/embedded-store.ts'
import { atEnd } from '../../support/clean-up.ts'

async function openDatabase(t: TestContext): Promise<Database> {
  const database = await Database.open(join(await temporaryDirectory(t), 'store'))
  atEnd(t, () => database.close())
  return database
}

function put(name: string, value: number): Migration {
  return async (database) => {
    const batch = new WriteBatch()
    putNumbers(batch, metaKey(name), [value])
    await database.write(batch, true)
  }
}

test('a database of an old version is brought up to date once, step by step', async (t) => {
  const database = await openDatabase(t)
  assert.equal(await migrate(database, []), undefined)
  const order: string[] = []
  const first: Migration = async (of) => {
    order.push('first')
    await put('a', 1)(of)
  }
  const second: Migration = async (of) => {
    order.push('second')
    assert.deepEqual(readNumbers(of, metaKey('a')), [1])
    await put('a', 2)(of)
  }
  assert.equal(await migrate(database, [first]), 1)
  assert.equal(await migrate(database, [first, second]), 2)
  assert.equal(await migrate(database, [first, second]), undefined)
  assert.deepEqual(order, ['first', 'second'])
  assert.deepEqual(readNumbers(database, metaKey('a')), [2])
})

test('a migration that fails leaves the version before it', async (t) => {
  const database = await openDatabase(t)
  await migrate(database, [])
  const fails: Migration = () => Promise.reject(new Error('no'))
  await assert.rejects(migrate(database, [put('a', 1), fails]), /no/)
  assert.equal(await migrate(database, [put('a', 1), put('b', 2)]), 2)
  assert.deepEqual(readNumbers(database, metaKey('b')), [2])
})

test('a database of a newer version is refused in words', async (t) => {
  const directory = await temporaryDirectory(t)
  const { store } = await openStore(directory)
  await store.close()
  const database = await Database.open(join(directory, 'store'))
  await put('format', 99)(database)
  await database.close()
  await assert.rejects(openStore(directory), {
    code: 'TRK_STORE_FORMAT',
    message: /version 99.*newer trackalert/,
  })
})
