/** The console in a real terminal: what is typed at it and what it shows. */
import assert from 'node:assert/strict'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { startConsoleServer, type ConsoleServer } from '../support/console-server.ts'
import { MAIN } from '../support/program.ts'
import { KEY, NO_TERMINAL, Terminal } from '../support/terminal.ts'

/** A console that has shown its prompt. */
async function openConsole(
  t: TestContext,
  server: ConsoleServer,
  env: Readonly<Record<string, string | undefined>> = {},
): Promise<Terminal> {
  const command = `'${process.execPath}' '${MAIN}' -c '${server.configFile}'`
  const terminal = new Terminal(t, command, { env: { HOME: server.folder, NO_COLOR: '', ...env } })
  const [shown] = await terminal.waitFor(/Connecting to \S+\n> /)
  assert.equal(shown, `Connecting to 127.0.0.1:${server.port}\n> `)
  return terminal
}

describe('the console in a terminal', { skip: NO_TERMINAL, concurrency: 2 }, () => {
  test('a line is answered, and quit ends it with status 0', async (t) => {
    const terminal = await openConsole(t, await startConsoleServer(t))
    terminal.type(`return "a" .. "b"${KEY.enter}`)
    await terminal.waitFor(/\nab\n> /)
    terminal.type(`1 + 2${KEY.enter}`)
    await terminal.waitFor(/\n3\n> /)
    terminal.type(`quit${KEY.enter}`)
    assert.equal(await terminal.exited, 0)
  })

  test('Ctrl-D at the prompt ends it', async (t) => {
    const terminal = await openConsole(t, await startConsoleServer(t))
    terminal.type(KEY.ctrlD)
    assert.equal(await terminal.exited, 0)
  })

  test('a chunk goes on over several lines, under another prompt', async (t) => {
    const terminal = await openConsole(t, await startConsoleServer(t))
    terminal.type(`for i = 1, 3 do${KEY.enter}`)
    await terminal.waitFor(/>> $/)
    terminal.type(`  print("line " .. i)${KEY.enter}`)
    await terminal.waitFor(/\n>> $/)
    terminal.type(`end${KEY.enter}`)
    await terminal.waitFor(/\nline 1\nline 2\nline 3\n\n> /)
    terminal.type(`x = = 1${KEY.enter}`)
    await terminal.waitFor(/Error: console:1: unexpected symbol near '='\n> /)
  })

  test('Ctrl-C drops the line or the chunk; at an empty prompt it says how to leave', async (t) => {
    const server = await startConsoleServer(t)
    const terminal = await openConsole(t, server)
    terminal.type('return "dropped"')
    await terminal.waitFor(/dropped"$/)
    terminal.type(KEY.ctrlC)
    await terminal.waitFor(/\^C\n[> ]+$/)
    terminal.type(`function f(${KEY.enter}`)
    await terminal.waitFor(/>> $/)
    terminal.type(KEY.ctrlC)
    await terminal.waitFor(/\^C\n[> ]+$/)
    terminal.type(KEY.ctrlC)
    await terminal.waitFor(/To leave, type quit or press Ctrl-D\.\n> $/)
    terminal.type(`return "kept"${KEY.enter}`)
    await terminal.waitFor(/\nkept\n> /)
    assert.deepEqual(server.lines, ['function f(', 'return "kept"'])
  })

  test('Ctrl-C while a command runs gives up waiting, and the next command is answered', async (t) => {
    const server = await startConsoleServer(t)
    const terminal = await openConsole(t, server)
    terminal.type(`wait()${KEY.enter}`)
    await terminal.waitFor(/wait\(\)\n/)
    await server.lineCame('wait()')
    terminal.type(KEY.ctrlC)
    await terminal.waitFor(/you did not wait for the answer; the command may still run[\s\S]*> $/)
    terminal.type(`return "next"${KEY.enter}`)
    await terminal.waitFor(/Connecting to [\s\S]*\nnext\n> /)
  })

  test('Tab completes names and lists what fits', async (t) => {
    const terminal = await openConsole(t, await startConsoleServer(t))
    terminal.type(`sta${KEY.tab}`)
    await terminal.waitFor(/stats$/)
    terminal.type(`\u0015sho${KEY.tab}`)
    await terminal.waitFor(/> show$/)
    terminal.type(KEY.tab)
    await terminal.waitFor(/showACL\s+showVersion/)
    terminal.type(`\u0015string.f${KEY.tab}`)
    await terminal.waitFor(/> string\.format$/)
    terminal.type(`\u0015return "Log${KEY.tab}`)
    await terminal.waitFor(/> return "Logins$/)
    terminal.type(`"${KEY.enter}`)
    await terminal.waitFor(/\nLogins\n> /)
  })

  test('what was typed comes back with the arrow key, also the next time, but for secrets', async (t) => {
    const server = await startConsoleServer(t)
    const first = await openConsole(t, server)
    for (const line of ['return "one"', 'return "two"', 'password = "hunter2"']) {
      first.type(`${line}${KEY.enter}`)
      await first.waitFor(/\n> $/)
    }
    first.type(KEY.up)
    await first.waitFor(/> return "two"$/)
    first.type(KEY.ctrlC)
    await first.waitFor(/\^C\n[> ]+$/)
    first.type(`quit${KEY.enter}`)
    assert.equal(await first.exited, 0)

    const file = join(server.folder, '.trackalert_history')
    assert.equal(readFileSync(file, 'utf8'), 'return "one"\nreturn "two"\nquit\n')
    assert.equal(statSync(file).mode & 0o777, 0o600)
    const second = await openConsole(t, server)
    second.type(KEY.up + KEY.up + KEY.up)
    await second.waitFor(/> return "one"$/)
    second.type(KEY.enter)
    await second.waitFor(/\none\n> /)
  })

  test('a lost connection is said, and the next command connects again', async (t) => {
    const server = await startConsoleServer(t)
    const terminal = await openConsole(t, server)
    await server.stop()
    terminal.type(`return "lost"${KEY.enter}`)
    await terminal.waitFor(/the control (connection was lost|socket cannot be reached)[\s\S]*\n> /)
    await server.restart()
    terminal.type(`return "back"${KEY.enter}`)
    await terminal.waitFor(/Connecting to \S+\n[\s\S]*back\n> /)
  })

  test('errors are red on a terminal, unless NO_COLOR is set', async (t) => {
    const server = await startConsoleServer(t)
    const red = await openConsole(t, server)
    red.type(`error("x")${KEY.enter}`)
    await red.waitFor(/Error: .*x\n> /)
    assert.ok(red.raw.includes('\u001B[31mError: '))
    const plain = await openConsole(t, server, { NO_COLOR: '1' })
    plain.type(`error("x")${KEY.enter}`)
    await plain.waitFor(/Error: .*x\n> /)
    assert.ok(!plain.raw.includes('\u001B[31m'))
  })
})
