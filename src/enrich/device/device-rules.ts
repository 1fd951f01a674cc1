/**
 * Gets the user-agent rules: ours, or the operator's file in their place, and then uap-core's. Reads files; once per
 * policy worker, at its start.
 */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { messageOf, TrackError } from '../../errors.ts'
import type { DeviceRules } from './match-user-agent.ts'
import { createRuleList } from './rule-list.ts'
import { parseRulesFile, type RulesFile } from './rules-file.ts'

export interface DeviceRulesSources {
  /** Path of the rules that are tried first; undefined for none. */
  readonly ownRulesFile: string | undefined
  /** Whether uap-core's rules follow. Default true. */
  readonly coreRules?: boolean
}

const NO_RULES: RulesFile = { userAgent: [], os: [], device: [] }

/**
 * The rules, ready for use.
 *
 * @throws TrackError TRK_REGEXES_INVALID with file and reason: unreadable, not YAML, or a wrong entry.
 */
export function loadDeviceRules({ ownRulesFile, coreRules = true }: DeviceRulesSources): DeviceRules {
  const own = ownRulesFile === undefined ? NO_RULES : parseRulesFile(read(ownRulesFile))
  const core = coreRules ? parseRulesFile(read(coreRulesPath()), { checkPatterns: false }) : NO_RULES
  return {
    userAgent: createRuleList([...own.userAgent, ...core.userAgent]),
    os: createRuleList([...own.os, ...core.os]),
    device: createRuleList([...own.device, ...core.device]),
  }
}

function coreRulesPath(): string {
  return fileURLToPath(import.meta.resolve('uap-core/regexes.yaml'))
}

function read(file: string): { readonly file: string; readonly text: string } {
  try {
    return { file, text: readFileSync(file, 'utf8') }
  } catch (error) {
    throw new TrackError('TRK_REGEXES_INVALID', messageOf(error), { cause: error })
  }
}
