/** A server that was started in a terminal without any option: it has a console on it. */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { MAIN } from '../support/program.ts'
import { BASE_CONFIGURATION, basicAuth } from '../support/server-process.ts'
import { KEY, NO_TERMINAL, Terminal } from '../support/terminal.ts'

test(
  'it serves, answers lines, logs above the prompt, and stops when the console is left',
  { skip: NO_TERMINAL },
  async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'trackalert-server-console-'))
    t.after(() => rm(folder, { recursive: true, force: true }))
    await writeFile(
      join(folder, 'own.conf'),
      `${BASE_CONFIGURATION}\nsetReport(function(lt) infoLog("seen", { login = lt.login }) end)`,
    )
    const terminal = new Terminal(t, `'${process.execPath}' '${MAIN}' -C own.conf`, {
      cwd: folder,
      env: { HOME: folder },
    })
    const [, url = ''] = await terminal.waitFor(/listening: url="([^"]+)"/)
    await terminal.waitFor(/> $/)
    terminal.type(`showVersion()${KEY.enter}`)
    await terminal.waitFor(/\ntrackalert \d+\.\d+\.\d+\n/)
    terminal.type('return "half')
    await terminal.waitFor(/half$/)
    const answer = await fetch(new URL('/command/report', url), {
      method: 'POST',
      headers: { authorization: basicAuth() },
      body: JSON.stringify({ login: 'ann', remote: '192.0.2.1', success: true }),
    })
    assert.equal(answer.status, 200)
    // What was being typed is there again below the line of the log.
    await terminal.waitFor(/seen: login="ann"\n> return "half$/)
    terminal.type(` and half"${KEY.enter}`)
    await terminal.waitFor(/\nhalf and half\n/)
    terminal.type(`showVer${KEY.tab}`)
    await terminal.waitFor(/showVersion/)
    terminal.type(`\u0015quit${KEY.enter}`)
    await terminal.waitFor(/stopping: why="the console was left"[\s\S]*stopped/)
    assert.equal(await terminal.exited, 0)
  },
)
