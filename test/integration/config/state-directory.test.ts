import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { readOrMakeSecret, stateDirectoryPath } from '../../../src/config/state-directory.ts'

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'trackalert-state-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

const mode = async (path: string): Promise<string> => ((await stat(path)).mode & 0o777).toString(8)

test('a secret is made at random once, readable by the owner alone, and then stays', async (t) => {
  const state = join(await temporaryFolder(t), 'state')
  const made = readOrMakeSecret(state, 'webserver-password')
  assert.ok(made.isNew)
  assert.match(made.text, /^[A-Za-z0-9_-]{43}$/)
  assert.deepEqual(readOrMakeSecret(state, 'webserver-password'), { ...made, isNew: false })
  assert.notEqual(readOrMakeSecret(state, 'other').text, made.text)
  assert.deepEqual(
    [await mode(state), await mode(join(state, 'secrets')), await mode(made.file)],
    ['700', '700', '600'],
  )
})

test('a secret that the operator wrote is used, without its line end', async (t) => {
  const state = join(await temporaryFolder(t), 'state')
  const { file } = readOrMakeSecret(state, 'mine')
  await writeFile(file, 'chosen by hand\n')
  assert.equal(readOrMakeSecret(state, 'mine').text, 'chosen by hand')
  assert.equal(await readFile(file, 'utf8'), 'chosen by hand\n')
})

test('an empty secret file is an error that names it', async (t) => {
  const state = join(await temporaryFolder(t), 'state')
  const { file } = readOrMakeSecret(state, 'mine')
  await writeFile(file, '')
  assert.throws(() => readOrMakeSecret(state, 'mine'), {
    code: 'TRK_STATE_DIRECTORY',
    message: new RegExp(file),
  })
})

for (const name of ['', '../passwd', 'a/b', '.hidden', 'x'.repeat(65), 'a b', 'a\0']) {
  test(`${JSON.stringify(name)} is no name for a secret`, async (t) => {
    const state = await temporaryFolder(t)
    assert.throws(() => readOrMakeSecret(state, name), { code: 'TRK_STATE_DIRECTORY' })
  })
}

test('a state directory that cannot be made is an error that names it and says what to do', async (t) => {
  const folder = await temporaryFolder(t)
  await writeFile(join(folder, 'file'), '')
  assert.throws(() => readOrMakeSecret(join(folder, 'file'), 'x'), {
    code: 'TRK_STATE_DIRECTORY',
    message: /file: .*setStateDirectory/s,
  })
})

const configFile = '/etc/trackalert/trackalert.conf'
const paths = [
  [{ configured: undefined, fromEnvironment: undefined }, '/etc/trackalert/state'],
  [{ configured: undefined, fromEnvironment: '/var/lib/trackalert' }, '/var/lib/trackalert'],
  [{ configured: undefined, fromEnvironment: '/var/lib/a:/var/lib/b' }, '/var/lib/a'],
  [{ configured: undefined, fromEnvironment: '' }, '/etc/trackalert/state'],
  [{ configured: '/srv/x', fromEnvironment: '/var/lib/trackalert' }, '/srv/x'],
  [{ configured: 'x', fromEnvironment: undefined }, '/etc/trackalert/x'],
] as const

for (const [choice, expected] of paths) {
  test(`state is kept in ${expected} for ${JSON.stringify(choice)}`, () => {
    assert.equal(stateDirectoryPath({ ...choice, configFile }), expected)
  })
}
