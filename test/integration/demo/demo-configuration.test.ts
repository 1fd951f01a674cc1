/** The demo keeps to this machine and to itself, whatever somebody has put into the shipped configuration. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { loadConfiguration } from '../../../src/config/load-configuration.ts'
import { makeDemoFolder } from '../../../src/demo/demo-configuration.ts'
import { atEnd } from '../../support/clean-up.ts'
import { listenLocal } from '../../support/listen-local.ts'

test('listeners, sinks, webhooks and the control socket of the configuration do not count; its modules do', async (t) => {
  const source = await mkdtemp(join(tmpdir(), 'trackalert-shipped-'))
  atEnd(t, () => rm(source, { recursive: true, force: true }))
  for (const name of ['policies', 'state']) await mkdir(join(source, name))
  await writeFile(join(source, 'state', 'precious'), 'x')
  await writeFile(join(source, 'policies', 'own.lua'), 'return function() setReport(function(lt) end) end')
  await writeFile(
    join(source, 'trackalert.conf'),
    `addListener("0.0.0.0:8084", false, "", "", {})
     setACL({"0.0.0.0/0"}) addACL("::/0") setWebserverPassword("known") setStateDirectory("${source}/state")
     controlSocket("0.0.0.0") setKey(secret("control-key"))
     addCustomWebHook("hook", {url="http://192.0.2.1/"})
     addAlertSink("desk", "email", {host="192.0.2.1", from="a@example.com", to="b@example.com"})
     addAlertRoute{sinks={"desk"}, severity="info"}
     require("policies.own")()`,
  )
  const folder = makeDemoFolder(join(source, 'trackalert.conf'))
  atEnd(t, () => folder.remove())
  assert.ok(!existsSync(join(folder.stateDirectory, 'precious')))
  const configuration = await loadConfiguration({
    configFile: folder.configFile,
    stateDirectoryFromEnvironment: folder.stateDirectory,
    environment: {},
  })
  atEnd(t, () => configuration.thread.stop())
  const { settings, stateDirectory } = configuration
  assert.deepEqual(
    settings.listeners.map(({ host, port }) => `${host}:${port}`),
    ['127.0.0.1:0'],
  )
  assert.deepEqual([settings.acl, settings.webHooks, settings.alertSinks], [['127.0.0.0/8'], [], []])
  assert.deepEqual([settings.controlSocket, settings.hasReport], [null, true])
  assert.notEqual(settings.webserverPassword, 'known')
  assert.equal(stateDirectory, folder.stateDirectory)
  assert.ok(existsSync(folder.passwordFile))
  folder.remove()
  assert.ok(!existsSync(dirname(folder.configFile)) && existsSync(join(source, 'state', 'precious')))
})

test('http.request of the configuration asks nobody', async (t) => {
  let asked = 0
  const receiver = createServer((_, response) => {
    asked++
    response.end()
  })
  const port = await listenLocal(t, receiver)
  const source = await mkdtemp(join(tmpdir(), 'trackalert-shipped-'))
  atEnd(t, () => rm(source, { recursive: true, force: true }))
  await writeFile(
    join(source, 'trackalert.conf'),
    `local status, why = http.request{url="http://127.0.0.1:${port}/", method="POST", body="made up"}
     if status == nil and why:find("demo") then addCustomStat("told_why") end
     setReport(function(lt) end)`,
  )
  const folder = makeDemoFolder(join(source, 'trackalert.conf'))
  atEnd(t, () => folder.remove())
  const { settings, thread } = await loadConfiguration({
    configFile: folder.configFile,
    stateDirectoryFromEnvironment: folder.stateDirectory,
    environment: {},
  })
  atEnd(t, () => thread.stop())
  assert.deepEqual([asked, settings.customStats], [0, ['told_why']])
})
