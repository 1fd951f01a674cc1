/**
 * Turns one of pino's JSON lines into the text that people read. Pure.
 */
import type { LogLevel } from './log.ts'

const LEVEL_WIDTH = 5
// oxlint-disable-next-line no-control-regex -- these are what must not reach a terminal
const CONTROL_CHARACTERS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/
const ALL_CONTROL_CHARACTERS = new RegExp(CONTROL_CHARACTERS, 'g')
const NEEDS_ESCAPE = new RegExp(`${CONTROL_CHARACTERS.source}|[\\\\"]`)

/** utc: `2026-11-21T07:00:00.000Z`. docker: `[2026-11-21 07:00:00,000]` in local time, as the reference has it. */
export type LineTime = 'utc' | 'docker' | 'none'

export interface LineLayout {
  readonly time: LineTime
  /** Levels that matter stand out, by the codes of terminals. */
  readonly hasColours: boolean
}

interface PinoLine {
  /** ISO 8601, UTC. */
  readonly time: string
  readonly level: LogLevel
  readonly msg?: string
  readonly fields?: Readonly<Record<string, unknown>>
}

const COLOURS = {
  error: '\u001B[31m',
  warn: '\u001B[33m',
  info: '',
  debug: '\u001B[2m',
} as const satisfies Record<LogLevel, string>
const COLOUR_OFF = '\u001B[0m'

/**
 * `2026-11-21T07:00:00.000Z info  message: key="value" …`, with the line end. Quotes, backslashes and control
 * characters are escaped: a login chosen by an attacker cannot forge a line or drive a terminal.
 */
export function formatLogLine(json: string, layout: LineLayout): string {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- pino wrote this line
  const { time, level, msg = '', fields } = JSON.parse(json) as PinoLine
  let text = ''
  if (layout.time === 'utc') text = `${time} `
  else if (layout.time === 'docker') text = `[${dockerTime(new Date(time))}] `
  text += `${coloured(level, layout)} ${escapeControls(msg)}`
  let separator = ': '
  for (const key in fields) {
    text += `${separator}${escapeControls(key)}="${escapeQuoted(String(fields[key]))}"`
    separator = ' '
  }
  return `${text}\n`
}

/** pino's line, with the control characters escaped that JSON allows and terminals obey. */
export function formatJsonLine(json: string): string {
  const line = json.endsWith('\n') ? json.slice(0, -1) : json
  return `${escapeControls(line)}\n`
}

/** Local time. */
function dockerTime(time: Date): string {
  const two = (number: number): string => String(number).padStart(2, '0')
  const day = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`
  const clock = `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`
  return `${day} ${clock},${String(time.getMilliseconds()).padStart(3, '0')}`
}

function coloured(level: LogLevel, { hasColours }: LineLayout): string {
  const word = level.padEnd(LEVEL_WIDTH)
  const colour = COLOURS[level]
  return hasColours && colour !== '' ? `${colour}${word}${COLOUR_OFF}` : word
}

function escapeQuoted(text: string): string {
  return NEEDS_ESCAPE.test(text) ? escapeControls(text.replace(/[\\"]/g, '\\$&')) : text
}

function escapeControls(text: string): string {
  if (!CONTROL_CHARACTERS.test(text)) return text
  return text.replace(ALL_CONTROL_CHARACTERS, (character) => {
    if (character === '\n') return '\\n'
    if (character === '\t') return '\\t'
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}
