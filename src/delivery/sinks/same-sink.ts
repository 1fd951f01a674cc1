/**
 * Whether two definitions of an alert sink ask for the same. Pure.
 */
import { SecretText } from '../../config/secret-text.ts'
import type { SinkDefinition } from './alert-sink.ts'

export function isSameSink(one: SinkDefinition, other: SinkDefinition): boolean {
  return isSame(one, other)
}

/** By hand: a secret shows itself to no general comparison, which would take any two for the same. */
function isSame(one: unknown, other: unknown): boolean {
  if (one instanceof SecretText || other instanceof SecretText)
    return one instanceof SecretText && other instanceof SecretText && one.reveal() === other.reveal()
  if (!isObject(one) || !isObject(other)) return Object.is(one, other)
  const entries = Object.entries(one)
  const others = new Map(Object.entries(other))
  return (
    Array.isArray(one) === Array.isArray(other) &&
    entries.length === others.size &&
    entries.every(([key, value]) => others.has(key) && isSame(value, others.get(key)))
  )
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
