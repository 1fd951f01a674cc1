/**
 * The trend databases that the configuration defines, by name. Each thread has its own, filled while the configuration
 * runs and complete before the first report; it is replaced as a whole when the configuration is read again.
 */
import {
  parseTrendDefinition,
  type DefinitionOutcome,
  type TrendDefinition,
  type TrendDefinitionInput,
} from './trend-definition.ts'

/** More databases than any policy can need: a loop in a configuration must not fill the memory. */
const MOST_DATABASES = 1000

/** Definitions by name. Defining the same name again replaces the first, as newStringStatsDB does. */
export class TrendRegistry {
  readonly #definitions = new Map<string, TrendDefinition>()

  define(input: TrendDefinitionInput): DefinitionOutcome {
    const outcome = parseTrendDefinition(input)
    if (!outcome.ok) return outcome
    if (this.#definitions.size >= MOST_DATABASES && !this.#definitions.has(input.name)) {
      return { ok: false, reason: `there are ${MOST_DATABASES} trend databases already` }
    }
    this.#definitions.set(input.name, outcome.definition)
    return outcome
  }

  /** Takes a definition over that another thread has parsed. */
  adopt(definition: TrendDefinition): void {
    this.#definitions.set(definition.name, definition)
  }

  get(name: string): TrendDefinition | undefined {
    return this.#definitions.get(name)
  }

  /** In the order of definition. */
  all(): readonly TrendDefinition[] {
    return [...this.#definitions.values()]
  }
}
