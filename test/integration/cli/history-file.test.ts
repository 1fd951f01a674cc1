import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { HistoryFile, MAX_HISTORY } from '../../../src/cli/history-file.ts'

function temporaryPath(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'trackalert-history-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return join(folder, 'history')
}

test('what was typed is there the next time, newest first, for its owner alone', (t) => {
  const path = temporaryPath(t)
  const first = new HistoryFile(path)
  assert.deepEqual(first.load(), [])
  for (const line of ['stats()', 'stats()', 'showACL()', '', '  ', 'é']) first.add(line)
  assert.deepEqual(new HistoryFile(path).load(), ['é', 'showACL()', 'stats()'])
  assert.equal(statSync(path).mode & 0o777, 0o600)
})

test('lines that hold a secret are not kept', (t) => {
  const path = temporaryPath(t)
  const history = new HistoryFile(path)
  for (const line of [
    'setKey("x")',
    'setWebserverPassword("hunter2")',
    'x = secret("y")',
    'PASSWD = 1',
    'ok()',
  ]) {
    history.add(line)
  }
  assert.equal(readFileSync(path, 'utf8'), 'ok()\n')
})

test('a file that others can read is closed to them, and one that has grown is cut', (t) => {
  const path = temporaryPath(t)
  const lines = Array.from({ length: MAX_HISTORY + 50 }, (_, index) => `line ${index}`)
  writeFileSync(path, `${lines.join('\n')}\n`)
  chmodSync(path, 0o644)
  const loaded = new HistoryFile(path).load()
  assert.equal(loaded.length, MAX_HISTORY)
  assert.equal(loaded[0], lines.at(-1))
  assert.equal(readFileSync(path, 'utf8').split('\n').length, MAX_HISTORY + 1)
  assert.equal(statSync(path).mode & 0o777, 0o600)
})

test('without a place to keep it, nothing is kept and nothing fails', () => {
  const history = new HistoryFile('/nonexistent/folder/history')
  history.add('stats()')
  assert.deepEqual(history.load(), [])
})
