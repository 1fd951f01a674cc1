/**
 * Bodies of answers, exactly as clients of the reference know them. Pure; lives on the threads that take requests.
 * JSON.stringify writes lone surrogates as escapes, so every text gives valid JSON.
 */

export const JSON_TYPE = 'application/json'

/** A report was taken. */
export const OK_BODY = '{"status":"ok"}'

/** Any failure but that of a custom endpoint. */
export function failureBody(reason: string): string {
  return `{"status":"failure", "reason":${JSON.stringify(reason)}}`
}

/** Whoever is outside the ACL. */
export function aclFailureBody(peer: string): string {
  return `{"status":"failure", "reason":"Source IP Address not in ACL", "ip":${JSON.stringify(peer)}}`
}

/** A custom endpoint has returned. */
export function endpointBody(success: boolean, attributes: Readonly<Record<string, string>>): string {
  return `{"success": ${success}, "r_attrs": ${JSON.stringify(attributes)}}`
}

/** A custom endpoint could not be run to its end. */
export function endpointFailureBody(reason: string): string {
  return `{"success": false, "reason": ${JSON.stringify(reason)}}`
}
