/** What trackalert.conf(5) tells a new user to do for mail and syslog, done: its configuration, its commands. */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { eventually } from '../support/ask-server.ts'
import { receiveDatagrams } from '../support/datagram-receiver.ts'
import { freePort } from '../support/free-port.ts'
import { readManPage } from '../support/man-page.ts'
import { privateCa } from '../support/private-ca.ts'
import { runProgram, type ProgramResult } from '../support/program.ts'
import { startServer } from '../support/server-process.ts'
import { mailParts, startSmtp } from '../support/smtp-receiver.ts'
import { parseRfc5424 } from '../support/syslog-grammar.ts'

const { examples } = readManPage('trackalert.conf.5')

function exampleOf(kind: string, name: string): string {
  const found = examples.find((example) => example.kind === kind && example.name === name)
  assert.ok(found !== undefined, `the manual has no ${kind} ${name}`)
  return found.text
}

/** The manual's text with this machine's places; each must be there. */
function replaced(text: string, places: Readonly<Record<string, string>>): string {
  let result = text
  for (const [from, to] of Object.entries(places)) {
    assert.ok(result.includes(from), from)
    result = result.replaceAll(from, to)
  }
  return result
}

test('mail and syslog are set up, tried and seen in the history by the manual alone', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'trackalert-guide-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const smtp = await startSmtp(t, { login: { user: 'trackalert', password: 'Mail4711' } })
  const syslog = await receiveDatagrams(t)
  const configuration = replaced(exampleOf('example', 'mail-and-syslog'), {
    '"127.0.0.1:8084"': `"127.0.0.1:${await freePort()}"`,
    '"127.0.0.1:5199"': `"127.0.0.1:${await freePort()}"`,
    '"mail.example.com"': `"localhost", port = ${smtp.port}, ca = "${privateCa.caFile}"`,
    '"192.0.2.5"': `"127.0.0.1:${syslog.port}"`,
    '"10s"': '0',
  })
  const configFile = join(folder, 'trackalert.conf')
  writeFileSync(configFile, configuration)
  mkdirSync(join(folder, 'state', 'secrets'), { recursive: true, mode: 0o700 })
  writeFileSync(join(folder, 'state', 'secrets', 'mail-password'), 'Mail4711\n', { mode: 0o600 })

  /** The commands of one step, in their order. */
  async function run(step: string): Promise<readonly ProgramResult[]> {
    const lines = exampleOf('commands', `mail-and-syslog-${step}`).trim().split('\n')
    const results: ProgramResult[] = []
    for (const line of lines) {
      const [program, ...words] = line.split(' ')
      assert.equal(program, 'trackalert')
      const args = words.map((word) => (word === '/etc/trackalert.conf' ? configFile : word))
      const result = await runProgram(t, args)
      assert.equal(result.code, 0, `${line}\n${result.stdout}${result.stderr}`)
      results.push(result)
    }
    return results
  }

  await run('check')
  await startServer(t, { configuration, folder })
  const [desk, noc] = await run('test')
  assert.equal(desk?.stdout, 'desk: 250 2.0.0 queued as mail 1\n')
  assert.match(noc?.stdout ?? '', /^noc: .*sent \(UDP: no answer\)\n$/)
  await syslog.waitForCount(1)

  const [, , first] = await run('try')
  let shown = first?.stdout ?? ''
  await eventually('the history does not tell of both', async () => {
    if (/ desk +delivered/.test(shown) && / noc +delivered/.test(shown)) return true
    shown = (await runProgram(t, ['alerts', 'show', '1', '-C', configFile])).stdout
    return false
  })
  assert.match(shown, /^Rule +five-minutes$/m)
  assert.match(shown, / desk +delivered 1 .* 250 2\.0\.0 queued as mail 2$/m)
  assert.match(mailParts(smtp.mails[1]?.raw ?? '').get('text/plain') ?? '', /the way of an alert works/)
  assert.match(parseRfc5424(syslog.datagrams[1] ?? new Uint8Array()).text, /the way of an alert works/)
})
