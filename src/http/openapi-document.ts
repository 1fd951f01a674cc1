export const OPENAPI_DOCUMENT = {openapi:'3.0.3'} as const
