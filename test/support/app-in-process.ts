/**
 * The whole server in the test's own process, for what only its caller can ask of it or set.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { AppOptions } from '../../src/app/app-options.ts'
import { createApp, type App } from '../../src/app/create-app.ts'
import { formatLogLine } from '../../src/telemetry/log-line.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { call, type HttpAnswer } from './http-client.ts'
import { atEnd } from './clean-up.ts'
import { basicAuth } from './server-process.ts'

export interface AppInProcess {
  readonly app: App
  readonly url: string
  readonly folder: string
  /** Everything logged so far. */
  readonly output: () => string
  readonly get: (path: string) => Promise<HttpAnswer>
  readonly post: (path: string, body: unknown) => Promise<HttpAnswer>
}

/** Starts it; it stops with the test. `files` are written beside the configuration, whose folder `FOLDER` in it names. */
export async function startApp(
  t: TestContext,
  configuration: string,
  {
    files = {},
    ...options
  }: Partial<AppOptions> & { readonly files?: Readonly<Record<string, Uint8Array>> } = {},
): Promise<AppInProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'trackalert-app-'))
  atEnd(t, () => rm(folder, { recursive: true, force: true }))
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content)
  const configFile = join(folder, 'trackalert.conf')
  await writeFile(configFile, configuration.replaceAll('FOLDER', folder))
  let output = ''
  const { log } = createLog({
    level: 'info',
    destinations: [(json) => (output += formatLogLine(json, { time: 'utc', hasColours: false }))],
    now: Date.now,
  })
  const app = await createApp({
    configFile,
    regexesFile: fileURLToPath(new URL('../../regexes.yaml', import.meta.url)),
    version: 'test',
    stateDirectoryFromEnvironment: undefined,
    environment: {},
    log,
    recover: false,
    onShutdownRequested: () => undefined,
    ...options,
  })
  atEnd(t, () => app.stop(1000))
  const url = /listening: url="([^"]+)"/.exec(output)?.[1] ?? ''
  const headers = { authorization: basicAuth() }
  return {
    app,
    url,
    folder,
    output: () => output,
    get: (path) => call(url, { path, headers }),
    post: (path, body) => call(url, { method: 'POST', path, headers, body: JSON.stringify(body) }),
  }
}
