/**
 * The body of a call of a custom endpoint to what its Lua function gets. Pure; lives on the threads that take requests.
 */
import { isObject, readAttributes, type Attributes } from './attributes.ts'
import { parseJsonBody } from './json-body.ts'

/** Fields are named as in Lua. */
export type EndpointArguments = Attributes

export type ParsedEndpointArguments =
  { readonly ok: true; readonly args: EndpointArguments } | { readonly ok: false; readonly reason: string }

/** Reads `{"attrs":{…}}`; other members are ignored and a missing `attrs` is an empty one. It never throws. */
export function parseEndpointArguments(body: Uint8Array): ParsedEndpointArguments {
  const json = parseJsonBody(body)
  if (!json.ok) return json
  if (!isObject(json.value)) return { ok: false, reason: 'The body must be a JSON object' }
  const attributes = readAttributes('attrs', json.value['attrs'])
  return typeof attributes === 'string' ? { ok: false, reason: attributes } : { ok: true, args: attributes }
}
