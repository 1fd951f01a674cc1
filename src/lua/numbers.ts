/**
 * How numbers look as text: what LuaJIT prints for a double, what C's printf prints for %e, %f and %g, and which texts
 * Lua reads as a number. Pure; used wherever Lua runs.
 */
import { Buffer } from 'node:buffer'

/** Digits of Lua's "%.14g". */
const TOSTRING_DIGITS = 14
const SHORTEST_EXPONENT_FORM = 1e14
/** JavaScript's toFixed and toExponential take no more. */
const MOST_JS_DIGITS = 99
const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/
const HEXADECIMAL = /^([+-]?)0[xX]([\da-fA-F]*)(?:\.([\da-fA-F]*))?(?:[pP]([+-]?\d+))?$/
const LUA_SPACE = /^[\t\n\v\f\r ]+|[\t\n\v\f\r ]+$/g
/** More significant digits than this cannot change a double. */
const HEX_DIGITS = 30

/** The text that LuaJIT's tostring() gives: "%.14g", with inf, -inf and nan. */
export function formatNumber(value: number): string {
  if (Number.isInteger(value) && value < SHORTEST_EXPONENT_FORM && value > -SHORTEST_EXPONENT_FORM) {
    return value === 0 && Object.is(value, -0) ? '-0' : String(value)
  }
  return formatGeneral(value, TOSTRING_DIGITS, false)
}

/**
 * As C's "%.{digits}g".
 *
 * @param keepZeros - the `#` flag: trailing zeros stay
 */
export function formatGeneral(value: number, digits: number, keepZeros: boolean): string {
  if (!Number.isFinite(value)) return formatNonFinite(value)
  const precision = digits === 0 ? 1 : digits
  const [mantissa = '', exponentText = '+0'] = formatExponent(value, precision - 1).split('e')
  const exponent = Number(exponentText)
  if (exponent < -4 || exponent >= precision) {
    return `${keepZeros ? mantissa : withoutTrailingZeros(mantissa)}e${exponentText}`
  }
  const fixed = formatFixed(value, precision - 1 - exponent)
  return keepZeros ? fixed : withoutTrailingZeros(fixed)
}

/** As C's "%.{digits}e": ties go to the even digit, the exponent has at least two digits. */
export function formatExponent(value: number, digits: number): string {
  if (!Number.isFinite(value)) return formatNonFinite(value)
  const text = value.toExponential(Math.min(digits, MOST_JS_DIGITS))
  const [mantissa = '', exponentText = '+0'] = isTie(value, digits, 'toExponential')
    ? exactExponent(value, digits, Number(text.split('e')[1]))
    : text.split('e')
  const exponent = exponentText.slice(1).padStart(2, '0')
  return `${Object.is(value, -0) ? '-' : ''}${mantissa}e${exponentText.slice(0, 1)}${exponent}`
}

/** As C's "%.{digits}f": ties go to the even digit, and there is never an exponent. */
export function formatFixed(value: number, digits: number): string {
  if (!Number.isFinite(value)) return formatNonFinite(value)
  const sign = value < 0 || Object.is(value, -0) ? '-' : ''
  const magnitude = Math.abs(value)
  if (magnitude < 1e21 && !isTie(magnitude, digits, 'toFixed')) return sign + magnitude.toFixed(digits)
  const scaled = scaledInteger(magnitude, digits)
    .toString()
    .padStart(digits + 1, '0')
  if (digits === 0) return sign + scaled
  return `${sign}${scaled.slice(0, -digits)}.${scaled.slice(-digits)}`
}

/** As C's "%a", in the form that glibc prints: 0x1.8p+1. */
export function formatHexFloat(value: number): string {
  if (!Number.isFinite(value)) return formatNonFinite(value)
  const sign = value < 0 || Object.is(value, -0) ? '-' : ''
  if (value === 0) return `${sign}0x0p+0`
  const { mantissa, exponent } = binaryParts(Math.abs(value))
  const isNormal = mantissa >= 2n ** 52n
  const fraction = (isNormal ? mantissa - 2n ** 52n : mantissa)
    .toString(16)
    .padStart(13, '0')
    .replace(/0+$/, '')
  const power = exponent + 52
  return `${sign}0x${isNormal ? 1 : 0}${fraction === '' ? '' : `.${fraction}`}p${power < 0 ? '-' : '+'}${Math.abs(power)}`
}

/**
 * The number that a Lua text stands for: decimal, hexadecimal (also with fraction and binary exponent), white space
 * around it. Undefined if it is none. Unlike LuaJIT, "inf" and "nan" are no numbers: logins have such names.
 */
export function parseNumber(bytes: Uint8Array): number | undefined {
  const small = parseSmallInteger(bytes)
  if (small !== undefined) return small
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    .toString('latin1')
    .replace(LUA_SPACE, '')
  if (DECIMAL.test(text)) return Number(text)
  const hexadecimal = HEXADECIMAL.exec(text)
  if (hexadecimal === null) return undefined
  const [, sign, whole = '', fraction = '', power = '0'] = hexadecimal
  const magnitude = hexMagnitude(whole, fraction, Number(power))
  return magnitude === undefined || sign !== '-' ? magnitude : -magnitude
}

function parseSmallInteger(bytes: Uint8Array): number | undefined {
  if (bytes.length === 0 || bytes.length > 15) return undefined
  let value = 0
  for (const byte of bytes) {
    if (byte < 0x30 || byte > 0x39) return undefined
    value = value * 10 + byte - 0x30
  }
  return value
}

function hexMagnitude(whole: string, fraction: string, power: number): number | undefined {
  const digits = whole + fraction
  if (digits === '') return undefined
  const significant = digits.replace(/^0+/, '')
  let value = 0
  for (const digit of significant.slice(0, HEX_DIGITS)) value = value * 16 + Number.parseInt(digit, 16)
  const dropped = Math.max(0, significant.length - HEX_DIGITS)
  return scaleByPowerOfTwo(value, power + 4 * (dropped - fraction.length))
}

/** value × 2^exponent, in steps that neither overflow nor underflow before the result does. */
export function scaleByPowerOfTwo(value: number, exponent: number): number {
  let result = value
  let left = Math.max(-4400, Math.min(4400, exponent))
  while (left > 1000) {
    result *= 2 ** 1000
    left -= 1000
  }
  while (left < -1000) {
    result *= 2 ** -1000
    left += 1000
  }
  return result * 2 ** left
}

function formatNonFinite(value: number): string {
  if (Number.isNaN(value)) return 'nan'
  return value > 0 ? 'inf' : '-inf'
}

function withoutTrailingZeros(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text
}

/** JavaScript rounds an exact half up, C to even: such values take the exact way. */
function isTie(value: number, digits: number, method: 'toFixed' | 'toExponential'): boolean {
  if (digits >= MOST_JS_DIGITS) return true
  const longer = method === 'toFixed' ? value.toFixed(digits + 1) : value.toExponential(digits + 1)
  return /5(?:e|$)/.test(longer) && Number(longer) === value
}

function exactExponent(value: number, digits: number, firstGuess: number): readonly [string, string] {
  const magnitude = Math.abs(value)
  let exponent = magnitude === 0 ? 0 : firstGuess
  let scaled = scaledInteger(magnitude, digits - exponent).toString()
  // Rounding may have carried the first guess past a power of ten, in either direction.
  if (magnitude !== 0 && scaled.length !== digits + 1) {
    exponent += scaled.length > digits + 1 ? 1 : -1
    scaled = scaledInteger(magnitude, digits - exponent).toString()
  }
  scaled = scaled.padStart(digits + 1, '0')
  const mantissa = digits === 0 ? scaled : `${scaled.slice(0, 1)}.${scaled.slice(1)}`
  return [`${value < 0 ? '-' : ''}${mantissa}`, `${exponent < 0 ? '-' : '+'}${Math.abs(exponent)}`]
}

/** magnitude × 10^power, rounded to the nearest integer and from a tie to the even one, without any error. */
function scaledInteger(magnitude: number, power: number): bigint {
  const { mantissa, exponent } = binaryParts(magnitude)
  let numerator = mantissa
  let denominator = 1n
  if (power >= 0) numerator *= 10n ** BigInt(power)
  else denominator *= 10n ** BigInt(-power)
  if (exponent >= 0) numerator <<= BigInt(exponent)
  else denominator <<= BigInt(-exponent)
  const quotient = numerator / denominator
  const twiceRest = (numerator % denominator) * 2n
  const roundUp = twiceRest > denominator || (twiceRest === denominator && quotient % 2n === 1n)
  return roundUp ? quotient + 1n : quotient
}

/** A finite double ≥ 0 as mantissa × 2^exponent (IEEE 754 binary64). */
function binaryParts(magnitude: number): { readonly mantissa: bigint; readonly exponent: number } {
  const view = new DataView(new ArrayBuffer(8))
  view.setFloat64(0, magnitude)
  const bits = view.getBigUint64(0)
  const biased = Number(bits >> 52n)
  const fraction = bits & (2n ** 52n - 1n)
  if (biased === 0) return { mantissa: fraction, exponent: -1074 }
  return { mantissa: fraction + 2n ** 52n, exponent: biased - 1075 }
}
