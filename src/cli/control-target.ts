/**
 * Which server the client talks to, and with which key: options first, then the environment, then the configuration,
 * which is read without any effect and only when something is missing.
 */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseEndpoint } from '../config/endpoint.ts'
import type { Inspection } from '../config/inspection.ts'
import { parseControlKey } from '../control/control-key.ts'
import { messageOf, TrackError } from '../errors.ts'
import { CONTROL_PORT } from '../lua/bindings/server-settings.ts'
import type { ControlChoice } from './command-line.ts'
import { missingSetting } from './missing-setting.ts'
import { reachableHost } from './reachable-host.ts'

/** As makeKey() prints it, so that its answer can be a key file. */
const SET_KEY = /^setKey\("([^"]*)"\)$/

export interface ControlTarget {
  readonly host: string
  readonly port: number
  readonly key: Uint8Array
}

interface TargetDeps {
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Looks at the configuration of the choice. */
  readonly inspect: () => Promise<Inspection>
  /** Where the command was given, if it has gone elsewhere since: names of key files are relative to it. */
  readonly givenIn?: string
}

/** @throws TrackError TRK_CONTROL_SETTINGS saying what is missing or wrong; TRK_CONFIG_* */
export async function findControlTarget(choice: ControlChoice, deps: TargetDeps): Promise<ControlTarget> {
  const { environment, givenIn = '' } = deps
  const address = given(choice.address) ?? given(environment['TRACKALERT_CONTROL_ADDRESS'])
  const keyFile = given(choice.keyFile) ?? given(environment['TRACKALERT_CONTROL_KEY_FILE'])
  const keyText =
    given(choice.keyFile) === undefined ? given(environment['TRACKALERT_CONTROL_KEY']) : undefined
  const endpoint = address === undefined ? undefined : endpointOf(address)
  const key =
    keyText === undefined
      ? keyFile === undefined
        ? undefined
        : keyOfFile(resolve(givenIn, keyFile))
      : keyOf(keyText, '$TRACKALERT_CONTROL_KEY')
  if (endpoint !== undefined && key !== undefined) return { ...reachable(endpoint), key }
  const inspection = await deps.inspect()
  return {
    ...reachable(endpoint ?? inspection.controlSocket ?? missing('controlSocket("127.0.0.1")', inspection)),
    key: key ?? keyOf(inspection.controlKey ?? missing('setKey()', inspection), 'the configuration'),
  }
}

function given(text: string | undefined): string | undefined {
  return text === '' ? undefined : text
}

function endpointOf(text: string): { readonly host: string; readonly port: number } {
  const parsed = parseEndpoint(text, CONTROL_PORT)
  return parsed.ok ? parsed : fail(parsed.reason)
}

function reachable({ host, port }: { readonly host: string; readonly port: number }) {
  return { host: reachableHost(host), port }
}

function keyOfFile(file: string): Uint8Array {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    return fail(`the key file cannot be read: ${messageOf(error)}`, error)
  }
  return keyOf(text, file)
}

/** Never shows what it was given: it may be a key that is only slightly wrong. */
function keyOf(text: string, where: string): Uint8Array {
  const trimmed = text.trim()
  const encoded = SET_KEY.exec(trimmed)?.[1] ?? trimmed
  return (
    parseControlKey(encoded) ??
    fail(`the key in ${where} is not 32 bytes in base64, as makeKey() on the console prints it`)
  )
}

function missing(what: string, inspection: Inspection): never {
  return fail(missingSetting(what, inspection, /controlSocket|setKey|secret/))
}

function fail(reason: string, cause?: unknown): never {
  throw new TrackError('TRK_CONTROL_SETTINGS', reason, { cause })
}
