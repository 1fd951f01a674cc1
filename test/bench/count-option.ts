/**
 * Numbers on the command lines of the benches. Pure.
 */

/**
 * @param name - of the option, for the message
 * @throws Error when the text is no whole number from 1 on
 */
export function countOption(name: string, text: string | undefined, preset: number): number {
  if (text === undefined) return preset
  const count = Number(text)
  if (Number.isSafeInteger(count) && count >= 1) return count
  throw new Error(`--${name} must be a whole number from 1 on, and is ${text}`)
}
