/**
 * Turns one of pino's JSON lines into the text that people read. Pure.
 */

const LEVEL_WIDTH = 5
// oxlint-disable-next-line no-control-regex -- these are what must not reach a terminal
const CONTROL_CHARACTERS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g

interface PinoLine {
  readonly time: number
  readonly level: string
  readonly msg?: string
  readonly fields?: Readonly<Record<string, unknown>>
}

/**
 * `2026-11-21T07:00:00.000Z info  message: key="value" …`, with the line end. Quotes, backslashes and control
 * characters are escaped: a login chosen by an attacker cannot forge a line or drive a terminal.
 */
export function formatLogLine(json: string): string {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- pino wrote this line
  const line = JSON.parse(json) as PinoLine
  let text = `${new Date(line.time).toISOString()} ${line.level.padEnd(LEVEL_WIDTH)} ${escapeControls(line.msg ?? '')}`
  const fields = Object.entries(line.fields ?? {})
  if (fields.length > 0) {
    text += `: ${fields.map(([key, value]) => `${escapeControls(key)}="${escapeQuoted(String(value))}"`).join(' ')}`
  }
  return `${text}\n`
}

function escapeQuoted(text: string): string {
  return escapeControls(text.replace(/[\\"]/g, '\\$&'))
}

function escapeControls(text: string): string {
  return text.replace(CONTROL_CHARACTERS, (character) => {
    if (character === '\n') return '\\n'
    if (character === '\t') return '\\t'
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}
