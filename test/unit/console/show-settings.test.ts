/** The settings as showConfig() has them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NetmaskGroup } from '../../../src/login/netmask-group.ts'
import { DEFAULT_ACL } from '../../../src/config/default-acl.ts'
import { settingsFrom } from '../../../src/config/settings.ts'
import { showSettings } from '../../../src/console/show-settings.ts'

function defaultMasks(): readonly string[] {
  const group = new NetmaskGroup()
  for (const mask of DEFAULT_ACL) group.addMask(mask)
  return group.masks()
}

test('settings that nobody has changed are all shown as defaults', () => {
  const settings = settingsFrom({ listeners: [], acl: defaultMasks() })
  const shown = showSettings(settings, settingsFrom)
  assert.deepEqual(
    shown.map(({ name }) => name),
    Object.keys(settings).toSorted(),
  )
  for (const { name, isDefault } of shown) assert.equal(isDefault, true, name)
})

test('what was changed is shown with its unit and not as a default, and secrets are hidden', () => {
  const settings = settingsFrom({
    listeners: [{ host: '::1', port: 80, tls: null }],
    acl: ['192.0.2.0/24'],
    webHookTimeoutSeconds: 7,
    webserverPassword: 'hidden1',
    controlKey: 'hidden2',
    webHooks: [{ name: 'hook', keys: { url: 'http://user:hidden3@192.0.2.1/', secret: 'hidden4' } }],
    alertSinks: [
      {
        name: 'mail',
        type: 'email',
        keys: {
          host: 'mx.example',
          user: 'track',
          password: 'hidden5',
          from: 'a@mail.example',
          to: 'b@mail.example',
        },
      },
      { name: 'traps', type: 'snmp', keys: { host: '192.0.2.2', community: 'hidden6' } },
    ],
  })
  const shown = new Map(showSettings(settings, settingsFrom).map((setting) => [setting.name, setting]))
  const timeout = { name: 'webHookTimeoutSeconds', value: '7', unit: 'seconds', isDefault: false }
  assert.deepEqual(shown.get('webHookTimeoutSeconds'), timeout)
  assert.equal(shown.get('listeners')?.value, '[::1]:80')
  assert.equal(shown.get('acl')?.isDefault, false)
  assert.equal(shown.get('webHooks')?.value, 'hook http://192.0.2.1/')
  assert.equal(shown.get('alertSinks')?.value, 'mail email mx.example:587, traps snmp SNMP v2c 192.0.2.2:162')
  assert.doesNotMatch(JSON.stringify([...shown.values()]), /hidden\d/)
})
