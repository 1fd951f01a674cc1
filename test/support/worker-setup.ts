/** What a policy worker is started with in tests: a configuration's text, and nothing else of note. */
import { fileURLToPath } from 'node:url'
import type { WorkerSetup } from '../../src/policy/messages.ts'

interface SetupOptions {
  /** The configuration file's text. */
  readonly source: string
  readonly timeSource: WorkerSetup['timeSource']
}

export function workerSetup({ source, timeSource }: SetupOptions): WorkerSetup {
  return {
    configFile: '/nowhere/trackalert.conf',
    configSource: Buffer.from(source),
    stateDirectory: '/nowhere/state',
    regexesFile: fileURLToPath(new URL('../../regexes.yaml', import.meta.url)),
    webHookNames: [],
    customStats: [],
    tlsClient: {
      verifyPeer: true,
      verifyHost: true,
      caBundleFile: null,
      clientCertificateFile: null,
      clientKeyFile: null,
    },
    geoDatabases: [],
    limits: { cpuMs: 2000, wallMs: 30_000 },
    environment: {},
    timeSource,
    hashSeed: new Uint8Array(8),
  }
}
