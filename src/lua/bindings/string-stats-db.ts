/**
 * A trend database as Lua holds it (type StringStatsDB): a name, and what is defined under it at this moment. Lives in one
 * Lua state; it holds no data of its own.
 */
import type { TrendDefinition } from '../../trends/trend-definition.ts'
import type { TrendRegistry } from '../../trends/trend-registry.ts'

export class StringStatsDb {
  readonly #registry: TrendRegistry
  #definition: TrendDefinition

  constructor(registry: TrendRegistry, definition: TrendDefinition) {
    this.#registry = registry
    this.#definition = definition
  }

  get name(): string {
    return this.#definition.name
  }

  /** Settings such as twSetMaxSize replace the definition while the configuration runs, so it is asked for each time. */
  get definition(): TrendDefinition {
    this.#definition = this.#registry.get(this.name) ?? this.#definition
    return this.#definition
  }
}
