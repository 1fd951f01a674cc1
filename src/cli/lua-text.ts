/**
 * Texts in lines for the console. Pure.
 */

/** A Lua string literal of any text. */
export function luaText(text: string): string {
  const bytes = Buffer.from(text, 'utf8')
  const plain = Array.from(bytes, (byte) =>
    byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c
      ? String.fromCharCode(byte)
      : `\\${byte.toString().padStart(3, '0')}`,
  )
  return `"${plain.join('')}"`
}
