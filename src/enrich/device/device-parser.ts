/**
 * What a report's device_id says about the device, as the values of LoginTuple.device_attrs. Each policy worker has its
 * own parser, with a bounded cache for each kind of text. It never throws, and takes any text.
 */
import { LRUCache } from 'lru-cache'
import { withFallback } from './fallback-user-agent.ts'
import { parseImapClientId, versionNumbers } from './imap-client-id.ts'
import { type DeviceRules, matchUserAgent } from './match-user-agent.ts'
import { parseMobileAppId } from './mobile-app-id.ts'

/** Attribute name to value; an object without prototype. Frozen, since reports share it. */
type DeviceAttributes = Readonly<Record<string, string>>

export interface DeviceParser {
  /**
   * The attributes of a device_id, by the report's protocol. For a protocol that is known, all of its keys are there,
   * `''` where the text does not tell, and a family that no rule knows is `Other`, as in the reference:
   *
   * - http, https: browser.family, .major, .minor; os.family, .major, .minor; device.family, .model, .brand
   * - imap, imaps: imapc.family, .major, .minor; os.family, .major, .minor
   * - mobileapi: app.name, .brand, .major, .minor; os.family, .major, .minor; device.family
   *
   * For any other protocol there are none.
   */
  parse(deviceId: string, protocol: string): DeviceAttributes
}

export interface DeviceParserOptions {
  /** Texts of each kind (user agents, IMAP ids, app ids) whose attributes are kept; the one seen longest ago goes. Default 10,000. */
  readonly cacheEntries?: number
  /** Characters of a device_id that are looked at. Bounds what a text made to be slow can cost. Default 1024. */
  readonly maxInputLength?: number
}

const NOTHING: DeviceAttributes = attributes([])

export function createDeviceParser(rules: DeviceRules, options: DeviceParserOptions = {}): DeviceParser {
  const { cacheEntries = 10_000, maxInputLength = 1024 } = options
  const parseUserAgent = remembering(cacheEntries, (input) => userAgentAttributes(rules, input))
  const parseImapId = remembering(cacheEntries, imapAttributes)
  const parseAppId = remembering(cacheEntries, mobileAttributes)
  return {
    parse(deviceId, protocol) {
      const input = deviceId.length > maxInputLength ? ownCopy(deviceId.slice(0, maxInputLength)) : deviceId
      switch (protocol) {
        case 'http':
        case 'https':
          return parseUserAgent(input)
        case 'imap':
        case 'imaps':
          return parseImapId(input)
        case 'mobileapi':
          return parseAppId(input)
        default:
          return NOTHING
      }
    },
  }
}

type ParseText = (input: string) => DeviceAttributes

function remembering(entries: number, parse: ParseText): ParseText {
  const results = new LRUCache<string, DeviceAttributes>({ max: entries })
  return (input) => {
    const known = results.get(input)
    if (known !== undefined) return known
    const result = parse(input)
    results.set(input, result)
    return result
  }
}

function userAgentAttributes(rules: DeviceRules, input: string): DeviceAttributes {
  const { userAgent, os, device } = withFallback(matchUserAgent(rules, input), input)
  return attributes([
    ['device.family', device.family],
    ['device.model', device.model],
    ['device.brand', device.brand],
    ['os.family', os.family],
    ['os.major', os.major],
    ['os.minor', os.minor],
    ['browser.family', userAgent.family],
    ['browser.major', userAgent.major],
    ['browser.minor', userAgent.minor],
  ])
}

function imapAttributes(input: string): DeviceAttributes {
  const fields = parseImapClientId(input)
  const client = versionNumbers(fields.get('version') ?? '')
  const os = versionNumbers(fields.get('os-version') ?? '')
  return attributes([
    ['imapc.family', fields.get('name')],
    ['imapc.major', client.major],
    ['imapc.minor', client.minor],
    ['os.family', fields.get('os')],
    ['os.major', os.major],
    ['os.minor', os.minor],
  ])
}

function mobileAttributes(input: string): DeviceAttributes {
  const app = parseMobileAppId(input)
  return attributes([
    ['app.name', app.name],
    ['app.brand', app.brand],
    ['app.major', app.major],
    ['app.minor', app.minor],
    ['os.family', app.os],
    ['os.major', app.osMajor],
    ['os.minor', app.osMinor],
    ['device.family', app.device],
  ])
}

function attributes(
  pairs: readonly (readonly [name: string, value: string | undefined])[],
): DeviceAttributes {
  const result = Object.fromEntries(pairs.map(([name, value]) => [name, value ?? '']))
  Object.setPrototypeOf(result, null)
  return Object.freeze(result)
}

/** A slice of a long text keeps all of it in memory for as long as the cache keeps the slice. */
function ownCopy(slice: string): string {
  return Buffer.from(slice, 'utf16le').toString('utf16le')
}
