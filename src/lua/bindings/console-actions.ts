/**
 * Commands of the console that do something to the server, or make something for its operator. Lives on the configuration
 * thread.
 */
import { randomBytes } from 'node:crypto'
import nacl from 'tweetnacl'
import type { SettingsCollector } from '../../config/settings-collector.ts'
import { TrackError } from '../../errors.ts'
import type { HostFunction } from '../host-function.ts'
import { askServer, type AskServer } from './ask-server.ts'

const SYSLOG_LEVELS = { min: 0, max: 7 } as const

interface ConsoleActionDeps {
  readonly ask: AskServer
  readonly settings: SettingsCollector
}

export function consoleActionFunctions({ ask, settings }: ConsoleActionDeps): readonly HostFunction[] {
  return [
    {
      name: 'makeKey',
      usage: 'makeKey()',
      summary: 'A new random key for the control socket, as a line for the configuration.',
      scope: 'console',
      run: () => `setKey("${randomBytes(nacl.secretbox.keyLength).toString('base64')}")\n`,
    },
    {
      name: 'testCrypto',
      usage: 'testCrypto(text)',
      summary: 'Encrypts and decrypts a text with the key of the control socket.',
      scope: 'console',
      run(call) {
        const text = call.string(1, 'text')
        const key = settings.controlKey
        if (key === null) return call.fail('there is no key; set one with setKey')
        return survivesCrypto(text, new Uint8Array(Buffer.from(key, 'base64')))
          ? 'Everything is ok!\n'
          : call.fail('the text did not come back as it was')
      },
    },
    {
      name: 'reloadGeoIPDBs',
      usage: 'reloadGeoIPDBs()',
      summary: 'Opens every GeoIP file again; one that cannot be used stays as it was.',
      scope: 'console',
      async run() {
        const { ok, text } = await askServer(ask, { kind: 'reload-geoip' })
        if (ok) return 'reloadGeoIPDBs() successful\n'
        throw new TrackError('TRK_CONSOLE_FAILED', text)
      },
    },
    {
      name: 'reloadConfig',
      usage: 'reloadConfig()',
      summary:
        'Reads the configuration file again and goes by it when it is good; the old one stays in force when not.',
      scope: 'console',
      async run() {
        const { ok, text } = await askServer(ask, { kind: 'reload-configuration' })
        if (ok) return `${text}\n`
        throw new TrackError('TRK_CONSOLE_FAILED', text)
      },
    },
    {
      name: 'setLogLevel',
      usage: 'setLogLevel(level)',
      summary:
        'Sets what is logged until the next start: 0 to 3 errors, 4 warnings too, 5 and 6 information, 7 everything.',
      scope: 'console',
      async run(call) {
        const level = call.integer(1, 'level', SYSLOG_LEVELS)
        await askServer(ask, { kind: 'set-log-level', level })
        return `log level ${level}\n`
      },
    },
  ]
}

function survivesCrypto(text: string, key: Uint8Array): boolean {
  const plain = new TextEncoder().encode(text)
  const nonce = new Uint8Array(randomBytes(nacl.secretbox.nonceLength))
  const opened = nacl.secretbox.open(nacl.secretbox(plain, nonce, key), nonce, key)
  return opened !== null && Buffer.compare(opened, plain) === 0
}
