import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SettingsCollector } from '../../../src/config/settings-collector.ts'
import { DEFAULT_ACL } from '../../../src/config/default-acl.ts'
import { settingsFrom } from '../../../src/config/settings.ts'

test('a configuration that says nothing gets the documented defaults', () => {
  const settings = settingsFrom(new SettingsCollector().toRaw())
  assert.deepEqual(
    {
      maxConnections: settings.maxConnections,
      webHookThreads: settings.webHookThreads,
      webHookConnectionsPerThread: settings.webHookConnectionsPerThread,
      webHookQueueSize: settings.webHookQueueSize,
      webHookTimeoutSeconds: settings.webHookTimeoutSeconds,
      acl: settings.acl,
      password: settings.webserverPassword,
      tlsClient: settings.tlsClient,
    },
    {
      maxConnections: 10_000,
      webHookThreads: 5,
      webHookConnectionsPerThread: 10,
      webHookQueueSize: 50_000,
      webHookTimeoutSeconds: 2,
      acl: DEFAULT_ACL,
      password: null,
      tlsClient: {
        verifyPeer: true,
        verifyHost: true,
        caBundleFile: null,
        clientCertificateFile: null,
        clientKeyFile: null,
      },
    },
  )
})

test('settings are frozen to the last member', () => {
  const settings = settingsFrom(new SettingsCollector().toRaw())
  assert.ok(Object.isFrozen(settings) && Object.isFrozen(settings.acl) && Object.isFrozen(settings.tlsClient))
})

test('what does not fit the schema is refused by name', () => {
  const raw = { ...new SettingsCollector().toRaw(), webHookTimeoutSeconds: 0 }
  assert.throws(() => settingsFrom(raw), { code: 'TRK_CONFIG_INVALID', message: /webHookTimeoutSeconds/ })
})
