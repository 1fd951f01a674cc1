/**
 * LuaJIT's string.format, on doubles. Texts here hold one byte per character (Latin-1), so that no byte is changed. Lives
 * on the thread of its Lua state.
 */
import { Buffer } from 'node:buffer'
import { lua } from '../fengari.ts'
import { MAX_STRING_BYTES } from '../fengari-patches.ts'
import type { LuaThread } from '../fengari-types.ts'
import { formatExponent, formatFixed, formatGeneral, formatHexFloat } from '../numbers.ts'
import { raise } from '../stack.ts'

const DIRECTIVE = /%([-+ #0]*)(\d*)(\.\d*)?([\s\S]?)/g
/** As in Lua: two digits for width and precision. */
const MAX_WIDTH_DIGITS = 2
const DEFAULT_PRECISION = 6
const INT64_MIN = -(2n ** 63n)

interface Directive {
  readonly flags: string
  readonly width: number
  readonly precision: number | undefined
  readonly conversion: string
}

export function stringFormat(L: LuaThread): number {
  const format = binaryText(lua.luaL_checkstring(L, 1))
  let position = 1
  const result = format.replaceAll(DIRECTIVE, (whole: string, ...groups: (string | undefined)[]) => {
    if (whole === '%%') return '%'
    const plain = formatPlain(L, position + 1, whole)
    if (plain !== undefined) {
      position += 1
      return plain
    }
    const [flags = '', width = '', precision = '', conversion = ''] = groups.slice(0, 4)
    const hasRoom =
      width.length <= MAX_WIDTH_DIGITS && precision.length <= MAX_WIDTH_DIGITS + 1 && flags.length <= 5
    if (!hasRoom) raise(L, `invalid option '${whole}' to 'format' (width or precision too long)`)
    position += 1
    return formatOne(L, position, {
      flags,
      width: Number(width),
      precision: precision === '' ? undefined : Number(precision.slice(1)),
      conversion,
    })
  })
  if (result.length > MAX_STRING_BYTES)
    raise(L, `not enough memory (a string may have ${MAX_STRING_BYTES} bytes)`)
  lua.lua_pushstring(L, Buffer.from(result, 'latin1'))
  return 1
}

/** What nearly all directives are, without taking them apart; undefined for any other. */
function formatPlain(L: LuaThread, position: number, directive: string): string | undefined {
  if (directive === '%s') {
    lua.luaL_checkany(L, position)
    const text = binaryText(lua.luaL_tolstring(L, position))
    lua.lua_pop(L, 1)
    return text
  }
  if (directive !== '%d') return undefined
  const whole = Math.trunc(lua.luaL_checknumber(L, position))
  return Number.isSafeInteger(whole) ? String(whole) : undefined
}

function formatOne(L: LuaThread, position: number, directive: Directive): string {
  const { conversion, precision } = directive
  switch (conversion) {
    case 'd':
    case 'i':
      return formatInteger(signedInteger(lua.luaL_checknumber(L, position)), directive)
    case 'u':
    case 'x':
    case 'X':
    case 'o':
      return formatInteger(BigInt.asUintN(64, signedInteger(lua.luaL_checknumber(L, position))), directive)
    case 'c':
      return padded(
        String.fromCharCode(lua.luaL_checkinteger(L, position) & 0xff),
        '',
        withoutZeros(directive),
      )
    case 'e':
    case 'E':
    case 'f':
    case 'F':
    case 'g':
    case 'G':
    case 'a':
    case 'A':
      return formatFloat(lua.luaL_checknumber(L, position), directive)
    case 'q':
      return quoted(binaryText(lua.luaL_checkstring(L, position)))
    case 's': {
      lua.luaL_checkany(L, position)
      const text = binaryText(lua.luaL_tolstring(L, position))
      lua.lua_pop(L, 1)
      return padded(text.slice(0, precision ?? text.length), '', withoutZeros(directive))
    }
    default:
      return raise(L, `invalid option '%${conversion}' to 'format'`)
  }
}

/** As a conversion to int64_t: the fraction goes, and what does not fit becomes the smallest. */
function signedInteger(value: number): bigint {
  const whole = Math.trunc(value)
  return Number.isFinite(whole) && Math.abs(whole) < 2 ** 63 ? BigInt(whole) : INT64_MIN
}

function formatInteger(value: bigint, directive: Directive): string {
  const { conversion, flags, precision } = directive
  const magnitude = value < 0n ? -value : value
  const radix = conversion === 'o' ? 8 : conversion === 'x' || conversion === 'X' ? 16 : 10
  const digits =
    magnitude === 0n && precision === 0 ? '' : magnitude.toString(radix).padStart(precision ?? 1, '0')
  const isSigned = conversion === 'd' || conversion === 'i'
  const sign = value < 0n ? '-' : isSigned ? plusSign(flags) : alternativePrefix(directive, magnitude)
  const text = padded(digits, sign, precision === undefined ? directive : withoutZeros(directive))
  return conversion === 'X' ? text.toUpperCase() : text
}

function alternativePrefix({ flags, conversion }: Directive, magnitude: bigint): string {
  if (!flags.includes('#') || magnitude === 0n || conversion === 'u') return ''
  return conversion === 'o' ? '0' : '0x'
}

function formatFloat(value: number, directive: Directive): string {
  const { conversion, flags, precision = DEFAULT_PRECISION } = directive
  const kind = conversion.toLowerCase()
  const isNegative = value < 0 || Object.is(value, -0)
  const magnitude = Math.abs(value)
  let digits: string
  if (kind === 'e') digits = formatExponent(magnitude, precision)
  else if (kind === 'f') digits = formatFixed(magnitude, precision)
  else if (kind === 'g') digits = formatGeneral(magnitude, precision, flags.includes('#'))
  else digits = formatHexFloat(magnitude)
  const sign = isNegative ? '-' : plusSign(flags)
  const isFinite = Number.isFinite(value)
  const text = padded(digits, sign, isFinite ? directive : withoutZeros(directive))
  return conversion === kind ? text : text.toUpperCase()
}

function plusSign(flags: string): string {
  if (flags.includes('+')) return '+'
  return flags.includes(' ') ? ' ' : ''
}

/** Fills up to the width: on the right, with zeros behind the sign, or on the left. */
function padded(text: string, sign: string, { flags, width }: Directive): string {
  const whole = sign + text
  if (flags.includes('-')) return whole.padEnd(width)
  if (flags.includes('0')) {
    const prefix = /^0x/i.exec(text)?.[0] ?? ''
    return sign + prefix + text.slice(prefix.length).padStart(width - sign.length - prefix.length, '0')
  }
  return whole.padStart(width)
}

function withoutZeros(directive: Directive): Directive {
  return { ...directive, flags: directive.flags.replaceAll('0', '') }
}

/** A literal that Lua reads back as the same string. */
function quoted(text: string): string {
  // The lookahead: a decimal escape before a digit must have all three digits.
  const escaped = text.replaceAll(
    // oxlint-disable-next-line no-control-regex -- control characters are what has to be escaped
    /["\\\n]|[\0-\x1f\x7f](?=(\d?))/g,
    (character, digit: string | undefined) => {
      if (character === '"' || character === '\\' || character === '\n') return `\\${character}`
      const code = String(character.charCodeAt(0))
      return `\\${digit === '' || digit === undefined ? code : code.padStart(3, '0')}`
    },
  )
  return `"${escaped}"`
}

function binaryText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}
