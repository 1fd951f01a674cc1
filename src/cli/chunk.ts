/**
 * Lua that is typed line by line. Pure.
 */

/** What the answer to a failed command begins with. */
const ERROR = 'Error: '

/**
 * Lua's parser says that the text ended too early: 5.3 writes <eof>, LuaJIT '<eof>'. A text in quotes that has no end cannot
 * go on in another line.
 */
const ENDED_EARLY = /(?<!unfinished string )near '?<eof>'?$/

export function isFailure(reply: string): boolean {
  return reply.startsWith(ERROR)
}

/** Whether the server found that a chunk goes on: what is typed next belongs to it, as in Lua's own interpreter. */
export function goesOn(reply: string): boolean {
  const [firstLine = ''] = reply.split('\n', 1)
  return isFailure(reply) && ENDED_EARLY.test(firstLine.trimEnd())
}
