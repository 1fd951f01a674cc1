/**
 * LuaJIT's bit library (https://bitop.luajit.org/api.html): 32-bit operations, results are signed. Lives on the thread
 * of its Lua state.
 */
import { lua } from '../fengari.ts'
import type { HostCode, LuaThread } from '../fengari-types.ts'
import { extendLibrary, isNilArgument, pushText } from '../stack.ts'

export function installBit(L: LuaThread): void {
  extendLibrary(L, 'bit', {
    tobit: unary((x) => x),
    bnot: unary((x) => ~x),
    bswap: unary(swapBytes),
    band: folded((a, b) => a & b),
    bor: folded((a, b) => a | b),
    bxor: folded((a, b) => a ^ b),
    lshift: shifted((x, n) => x << n),
    rshift: shifted((x, n) => x >>> n),
    arshift: shifted((x, n) => x >> n),
    rol: shifted((x, n) => (x << n) | (x >>> (32 - n))),
    ror: shifted((x, n) => (x >>> n) | (x << (32 - n))),
    tohex: toHex,
  })
}

/** The number modulo 2^32, as a signed integer; fractions go to the nearest integer, ties to even. */
function bitsOf(L: LuaThread, position: number): number {
  const value = lua.luaL_checknumber(L, position)
  if (Number.isInteger(value)) return wrapped(value)
  const floor = Math.floor(value)
  const isUp = value - floor > 0.5 || (value - floor === 0.5 && floor % 2 !== 0)
  return wrapped(isUp ? floor + 1 : floor)
}

/** JavaScript's own conversion is modulo 2^32 too, for numbers of any size. */
function wrapped(value: number): number {
  return value | 0
}

function unary(operation: (x: number) => number): HostCode {
  return (L) => pushBits(L, operation(bitsOf(L, 1)))
}

function folded(operation: (a: number, b: number) => number): HostCode {
  return (L) => {
    let result = bitsOf(L, 1)
    const count = lua.lua_gettop(L)
    for (let position = 2; position <= count; position++) result = operation(result, bitsOf(L, position))
    return pushBits(L, result)
  }
}

/** Only the lower five bits of the shift count. */
function shifted(operation: (x: number, count: number) => number): HostCode {
  return (L) => pushBits(L, operation(bitsOf(L, 1), bitsOf(L, 2) & 31))
}

function pushBits(L: LuaThread, bits: number): number {
  lua.lua_pushnumber(L, wrapped(bits))
  return 1
}

function swapBytes(x: number): number {
  return ((x & 0xff) << 24) | ((x & 0xff00) << 8) | ((x >>> 8) & 0xff00) | (x >>> 24)
}

/** bit.tohex(x [, digits]): 8 digits, upper case for a negative count. */
function toHex(L: LuaThread): number {
  const digits = isNilArgument(L, 2) ? 8 : bitsOf(L, 2)
  const count = Math.min(8, Math.abs(digits))
  const text = (bitsOf(L, 1) >>> 0)
    .toString(16)
    .padStart(8, '0')
    .slice(8 - count)
  pushText(L, digits < 0 ? text.toUpperCase() : text)
  return 1
}
