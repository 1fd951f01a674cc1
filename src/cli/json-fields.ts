/**
 * Members of the JSON that a server answered, read with care: it may be of another version. Pure.
 */
import { isObject } from '../login/attributes.ts'

export type Fields = Readonly<Record<string, unknown>>

/** undefined when it is no JSON. */
export function parse(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}

export function objects(fields: Fields, name: string): readonly Fields[] {
  const value = fields[name]
  return Array.isArray(value) ? value.filter(isObject) : []
}

/** '' where there is none. */
export function text(fields: Fields, name: string): string {
  const value = fields[name]
  return typeof value === 'string' ? value : ''
}

export function optional(fields: Fields, name: string): number | undefined {
  const value = fields[name]
  return typeof value === 'number' ? value : undefined
}

/** 0 where there is none. */
export function number(fields: Fields, name: string): number {
  return optional(fields, name) ?? 0
}
