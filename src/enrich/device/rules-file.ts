/**
 * A rules file in the format of uap-core's regexes.yaml: from text to validated rules. Pure.
 *
 * Format: https://github.com/ua-parser/uap-core/blob/master/docs/specification.md
 */
import { messageOf, TrackError } from '../../errors.ts'
import { readPlainRules } from './plain-rules.ts'
import type { UserAgentRule } from './rule-list.ts'
import { parseYaml } from './yaml-document.ts'

/** The rules of one file, in its order. */
export interface RulesFile {
  readonly userAgent: readonly UserAgentRule[]
  readonly os: readonly UserAgentRule[]
  readonly device: readonly UserAgentRule[]
}

/** Keys of the replacements, in the order in which `UserAgentRule.replacements` has them. */
const REPLACEMENTS = {
  user_agent_parsers: ['family_replacement', 'v1_replacement', 'v2_replacement', 'v3_replacement'],
  os_parsers: [
    'os_replacement',
    'os_v1_replacement',
    'os_v2_replacement',
    'os_v3_replacement',
    'os_v4_replacement',
  ],
  device_parsers: ['device_replacement', 'brand_replacement', 'model_replacement'],
} as const

type ListName = keyof typeof REPLACEMENTS

/** A rules file's place and content, for messages. */
interface Source {
  readonly file: string
  readonly text: string
}

export interface RulesFileOptions {
  /** Compile every pattern to find mistakes. Off for rules that were tested. Default true. */
  readonly checkPatterns?: boolean
}

/**
 * The rules of a file. A list that is missing is empty.
 *
 * @throws TrackError TRK_REGEXES_INVALID with file, list, number of the entry and reason.
 */
export function parseRulesFile(source: Source, options: RulesFileOptions = {}): RulesFile {
  const document = readDocument(source)
  const unknown = Object.keys(document).find((name) => !Object.hasOwn(REPLACEMENTS, name))
  if (unknown !== undefined) {
    throw invalid(
      `${source.file}: there is no list ${unknown}; lists are ${Object.keys(REPLACEMENTS).join(', ')}`,
    )
  }
  const list = (name: ListName): readonly UserAgentRule[] => {
    const entries = document[name] ?? []
    if (!Array.isArray(entries)) throw invalid(`${source.file}: ${name} must be a list of rules`)
    return entries.map((entry: unknown, position) => {
      const rule = readRule(name, entry, options.checkPatterns ?? true)
      if (typeof rule !== 'string') return rule
      throw invalid(`${source.file}: ${name}, entry ${position + 1}: ${rule}`)
    })
  }
  return { userAgent: list('user_agent_parsers'), os: list('os_parsers'), device: list('device_parsers') }
}

function readDocument({ file, text }: Source): Readonly<Record<string, unknown>> {
  let document: unknown
  try {
    document = readPlainRules(text) ?? parseYaml(text) ?? {}
  } catch (error) {
    throw new TrackError('TRK_REGEXES_INVALID', `${file}: ${messageOf(error)}`, { cause: error })
  }
  if (!isRecord(document)) throw invalid(`${file}: it must be a map of lists of rules`)
  return document
}

/** The rule, or what is wrong with it. */
function readRule(list: ListName, entry: unknown, checkPattern: boolean): UserAgentRule | string {
  if (!isRecord(entry)) return 'it must be a map with the key regex'
  const keys: readonly string[] = REPLACEMENTS[list]
  for (const [key, value] of Object.entries(entry)) {
    if (key !== 'regex' && key !== 'regex_flag' && !keys.includes(key)) {
      return `there is no key ${key}; keys are regex, regex_flag, ${keys.join(', ')}`
    }
    if (asText(value) === undefined && value !== null) return `${key} must be a text`
  }
  const regex = asText(entry['regex'])
  if (regex === undefined || regex === '') return 'it has no regex'
  const flag = asText(entry['regex_flag']) ?? ''
  if (flag !== '' && flag !== 'i') return `regex_flag is ${JSON.stringify(flag)}, but only "i" exists`
  const fault = checkPattern ? patternFault(regex) : undefined
  if (fault !== undefined) return fault
  return { regex, ignoreCase: flag === 'i', replacements: keys.map((key) => asText(entry[key])) }
}

function patternFault(regex: string): string | undefined {
  try {
    return new RegExp(regex) instanceof RegExp ? undefined : 'it is no pattern'
  } catch (error) {
    return messageOf(error)
  }
}

/** Versions are often written without quotes. */
function asText(value: unknown): string | undefined {
  if (typeof value === 'number') return String(value)
  return typeof value === 'string' ? value : undefined
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function invalid(detail: string): TrackError {
  return new TrackError('TRK_REGEXES_INVALID', detail)
}
