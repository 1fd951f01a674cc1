/** Commands that the documents and the demo tell people to type: npm has them, and the program understands their words. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parseCommandLine } from '../../src/cli/command-line.ts'
import { nextSteps, staying } from '../../src/demo/demo-text.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  readonly scripts: Readonly<Record<string, string>>
}
const DEMO = `${nextSteps()}${staying({ url: 'http://127.0.0.1:1', passwordFile: '/f' })}`
const README = readFileSync(join(ROOT, 'README.md'), 'utf8')
const TEXTS = [
  ['README.md', README],
  ['test/README.md', readFileSync(join(ROOT, 'test/README.md'), 'utf8')],
  ['the demo', DEMO],
] as const

/** The script of npm, and what it hands on: up to the end of the line or of code type, two spaces, or what is the shell's. */
const COMMAND = /(?<=^ *|`|&& )npm (?:run (?:-s )?)?([\w:]+)(?: -- ((?:[^\s`>|&]+ ?)+))?/gm
const PROGRAM = 'node src/main.ts'

/** A placeholder for the number of an alert stands for one. */
const wordsOf = (text: string): readonly string[] =>
  text.split(' ').flatMap((word) => (word === '' ? [] : word === 'ID' ? '1' : word))

describe('commands that are shown', () => {
  for (const [name, text] of TEXTS) {
    test(`in ${name}`, () => {
      const commands = [...text.matchAll(COMMAND)].filter(([, script]) => script !== 'ci')
      assert.ok(commands.length >= 3, text)
      for (const [command, script = '', handedOn = ''] of commands) {
        const runs = scripts[script] ?? assert.fail(`${command}: there is no script ${script}`)
        const words = runs.startsWith(PROGRAM) ? wordsOf(`${runs.slice(PROGRAM.length)} ${handedOn}`) : []
        if (words.length === 0) continue
        const parsed = parseCommandLine(words, { version: '0', isTerminal: false })
        assert.notEqual(parsed.kind, 'usage', `${command}: ${JSON.stringify(parsed)}`)
      }
    })
  }

  test('run by npm or npx: the Node.js of the machine may be too old', () => {
    for (const text of [README, DEMO]) assert.doesNotMatch(text, /(?<!npx )\bnode (?:dist|src)\//)
  })
})
