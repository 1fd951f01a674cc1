/**
 * The key of the control socket as people write it. Pure; used on every thread and in the console's process.
 */
const KEY_BYTES = 32

/**
 * Base64 with or without padding, as makeKey() prints it, or base64url, as secret() makes it.
 *
 * @returns 32 bytes, or undefined for anything else
 */
export function parseControlKey(text: string): Uint8Array | undefined {
  // Node's decoder takes both alphabets and passes over what belongs to neither, so the way back must give the same.
  const bytes = Buffer.from(text, 'base64')
  const isWhole =
    bytes.toString('base64') === text ||
    bytes.toString('base64url') === text ||
    bytes.toString('base64').replace(/=+$/, '') === text
  return isWhole && bytes.length === KEY_BYTES ? new Uint8Array(bytes) : undefined
}
