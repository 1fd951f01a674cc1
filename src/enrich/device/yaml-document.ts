/**
 * The border to the YAML parser, which is loaded only when a file needs it: that takes longer than reading all rules
 * without it. Pure but for the loading.
 */
import { createRequire } from 'node:module'
import { TrackError } from '../../errors.ts'

interface YamlParser {
  readonly parse: (text: string) => unknown
}

/**
 * The document as plain values.
 *
 * @throws the parser's error, whose message has line and column
 */
export function parseYaml(text: string): unknown {
  const library: unknown = createRequire(import.meta.url)('yaml')
  if (!isYamlParser(library))
    throw new TrackError('TRK_REGEXES_INVALID', 'the package yaml has no function parse')
  return library.parse(text)
}

function isYamlParser(library: unknown): library is YamlParser {
  return (
    typeof library === 'object' &&
    library !== null &&
    'parse' in library &&
    typeof library.parse === 'function'
  )
}
