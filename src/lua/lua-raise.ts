/**
 * The way out of TypeScript code that Lua has called and that wants a Lua error. Pure; it never leaves src/lua: where
 * TypeScript meets Lua it becomes an error at the position of the calling Lua line.
 */

/** Thrown to raise a Lua error with exactly this text. Not a TrackError: its text goes to Lua without a prefix. */
export class LuaRaise extends Error {
  override readonly name = 'LuaRaise'
}
