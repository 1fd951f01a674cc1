/**
 * Where a text stops being JSON. Pure.
 */

/** V8 says where, and quotes some of the text, which may hold a password hash: only the place is passed on. */
const POSITION = /\bat position (\d+)/

/** `, at character 17` for what JSON.parse threw, or nothing when it does not say. */
export function jsonErrorPlace(thrown: unknown): string {
  const position = thrown instanceof Error ? POSITION.exec(thrown.message)?.[1] : undefined
  return position === undefined ? '' : `, at character ${position}`
}
