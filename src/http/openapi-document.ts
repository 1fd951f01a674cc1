/**
 * The description of the HTTP API that GET /openapi.json gives (OpenAPI 3.0.3). Pure data. A test checks that it is
 * valid, names every route of routes.ts and fits real answers.
 */

import { ALERT_SCHEMAS } from './openapi-alerts.ts'

const text = { type: 'string' } as const
const flag = { type: 'boolean' } as const
const counters = { type: 'object', additionalProperties: { type: 'number' } } as const

const attributes = {
  type: 'object',
  description: 'A string is a single value, an array a list of values. Members of other types are left out.',
  additionalProperties: {
    anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }],
  },
} as const

const schemas = {
  LoginReport: {
    type: 'object',
    description:
      'One login as an authentication system saw it. Unknown members are ignored; null is as if missing.',
    required: ['login', 'remote', 'success'],
    properties: {
      login: { ...text, maxLength: 4096 },
      remote: {
        ...text,
        description: 'Address of the client, IPv4 or IPv6, with or without a port.',
        example: '192.0.2.1',
      },
      success: flag,
      t: { type: 'number', description: 'Unix time in seconds; the time of receipt if missing.' },
      pwhash: {
        ...text,
        description: 'A short hash of the password, to tell equal ones from different ones.',
      },
      policy_reject: { ...flag, description: 'Refused by policy, not by the password.' },
      fail_type: {
        ...text,
        description: 'Usually internal, credentials, account, expired, disabled or policy.',
      },
      protocol: { ...text, description: 'http, imap, pop3, smtp, mobileapi and the like.' },
      tls: flag,
      device_id: { ...text, description: 'User agent, IMAP ID string and the like.' },
      device_attrs: { type: 'object', additionalProperties: { type: 'string' } },
      session_id: text,
      attrs: attributes,
    },
  },
  KafkaRecords: {
    type: 'object',
    description: 'Reports as senders with a Kafka option wrap them. All are taken or none.',
    required: ['records'],
    properties: {
      records: {
        type: 'array',
        minItems: 1,
        items: {
          type: 'object',
          required: ['value'],
          properties: { value: { $ref: '#/components/schemas/LoginReport' } },
        },
      },
    },
  },
  Accepted: {
    type: 'object',
    required: ['status'],
    properties: { status: { type: 'string', enum: ['ok'] } },
  },
  Failure: {
    type: 'object',
    required: ['status', 'reason'],
    properties: {
      status: { type: 'string', enum: ['failure'] },
      reason: text,
      ip: { ...text, description: 'Address of a client outside the ACL.' },
    },
  },
  Stats: {
    type: 'object',
    required: ['reports', 'user-msec', 'sys-msec', 'uptime', 'perfstats', 'commandstats', 'customstats'],
    properties: {
      reports: { type: 'number' },
      'user-msec': { type: 'number', description: 'Processor time in milliseconds.' },
      'sys-msec': { type: 'number', description: 'Processor time in the kernel in milliseconds.' },
      uptime: { type: 'number', description: 'Seconds since the start.' },
      perfstats: {
        ...counters,
        description: 'Runs in the last 5 minutes by milliseconds waited (WTW) and run (WTR).',
      },
      commandstats: { ...counters, description: 'Requests in the last 5 minutes by command.' },
      customstats: { ...counters, description: 'Custom statistics of the last 5 minutes.' },
    },
  },
  ...ALERT_SCHEMAS,
  EndpointArguments: { type: 'object', properties: { attrs: attributes } },
  EndpointResult: {
    type: 'object',
    required: ['success', 'r_attrs'],
    properties: { success: flag, r_attrs: { type: 'object', additionalProperties: { type: 'string' } } },
  },
  EndpointFailure: {
    type: 'object',
    required: ['success', 'reason'],
    properties: { success: { type: 'boolean', enum: [false] }, reason: text },
  },
} as const

type SchemaName = keyof typeof schemas

function jsonContent(...names: readonly SchemaName[]) {
  const references = names.map((name) => ({ $ref: `#/components/schemas/${name}` }))
  return { 'application/json': { schema: references.length === 1 ? references[0] : { oneOf: references } } }
}

function response(description: string, ...names: readonly SchemaName[]) {
  return names.length === 0 ? { description } : { description, content: jsonContent(...names) }
}

function queryParameter(name: string, description: string) {
  return { name, in: 'query', required: false, description, schema: text } as const
}

const outside = {
  401: response('The client is outside the ACL, or the password is missing or wrong.', 'Failure'),
}
const busy = response(
  'No room now, or the work was not done in time. Retry-After says when to come again.',
  'Failure',
)
const open = { security: [] as readonly never[] }

export const OPENAPI_DOCUMENT = {
  openapi: '3.0.3',
  info: {
    title: 'trackalert',
    version: '1',
    description:
      'Takes login reports. Every command NAME is also found at /?command=NAME. Any content type is accepted; bodies are JSON. The user name of the authentication does not matter.',
  },
  components: { schemas, securitySchemes: { password: { type: 'http', scheme: 'basic' } } },
  security: [{ password: [] as readonly never[] }],
  paths: {
    '/command/report': {
      post: {
        operationId: 'report',
        summary: 'Reports one login, or several.',
        requestBody: { required: true, content: jsonContent('LoginReport', 'KafkaRecords') },
        responses: {
          200: response('The reports are stored.', 'Accepted'),
          400: response('A report is wrong; the reason names the field.', 'Failure'),
          ...outside,
          413: response('The body is too large.', 'Failure'),
          415: response('The body is compressed.', 'Failure'),
          503: busy,
        },
      },
    },
    '/command/stats': {
      get: {
        operationId: 'stats',
        summary: 'Counters of the server.',
        responses: { 200: response('The counters.', 'Stats'), ...outside },
      },
    },
    '/command/alerts': {
      get: {
        operationId: 'alerts',
        summary: 'Alerts, raised last first.',
        parameters: [
          queryParameter('id', 'Only this alert, with what was told of it.'),
          queryParameter('explain', 'true, with id: why it was raised instead of what was told of it.'),
          queryParameter(
            'since',
            'Raised last at this time or later: a span such as 3m, Unix seconds, or a date.',
          ),
          queryParameter('severity', 'At least so severe.'),
          queryParameter('state', 'open, acknowledged or resolved, or several with commas.'),
          queryParameter('rule', 'May hold * and ?.'),
          queryParameter('key', 'May hold * and ?.'),
          queryParameter('limit', 'At most so many; 100 if missing, at most 10,000.'),
        ],
        responses: {
          200: response('The alerts, or the one.', 'Alerts', 'OneAlert'),
          400: response('A parameter is wrong; the reason names it.', 'Failure'),
          ...outside,
          404: response('There is no such alert.', 'Failure'),
          503: busy,
        },
      },
      post: {
        operationId: 'alertAction',
        summary: 'Acknowledges, resolves or comments an alert.',
        requestBody: { required: true, content: jsonContent('AlertAction') },
        responses: {
          200: response('The alert afterwards.', 'OneAlert'),
          400: response('The body is wrong; the reason names the field.', 'Failure'),
          ...outside,
          404: response('There is no such alert.', 'Failure'),
          503: busy,
        },
      },
    },
    '/command/livez': {
      get: {
        ...open,
        operationId: 'livez',
        summary: 'Whether the server runs.',
        responses: { 200: response('It does. The body is empty.'), ...outside },
      },
    },
    '/command/readyz': {
      get: {
        ...open,
        operationId: 'readyz',
        summary: 'Whether the server takes reports now.',
        responses: {
          200: response('It does. The body is empty.'),
          ...outside,
          503: response('It does not, and why.', 'Failure'),
        },
      },
    },
    '/metrics': {
      get: {
        operationId: 'metrics',
        summary: 'Metrics for Prometheus.',
        description: 'Without a password if the configuration says setMetricsNoPassword().',
        responses: {
          200: { description: 'The metrics.', content: { 'text/plain': { schema: text } } },
          ...outside,
          503: busy,
        },
      },
    },
    '/openapi.json': {
      get: {
        operationId: 'openapi',
        summary: 'This document.',
        responses: {
          200: {
            description: 'The document.',
            content: { 'application/json': { schema: { type: 'object' } } },
          },
          ...outside,
        },
      },
    },
    '/command/{endpoint}': {
      post: {
        operationId: 'endpoint',
        summary: 'Calls a custom endpoint of the configuration.',
        parameters: [
          {
            name: 'endpoint',
            in: 'path',
            required: true,
            description: 'The name given to setCustomEndpoint.',
            schema: text,
          },
        ],
        requestBody: { required: true, content: jsonContent('EndpointArguments') },
        responses: {
          200: response('What its function returned.', 'EndpointResult'),
          400: response('The body is wrong.', 'EndpointFailure'),
          ...outside,
          404: response('There is no such endpoint.', 'Failure'),
          413: response('The body is too large.', 'Failure'),
          415: response('The body is compressed.', 'Failure'),
          500: response('Its function failed.', 'EndpointFailure'),
          503: response('No room now. Retry-After says when to come again.', 'EndpointFailure'),
        },
      },
    },
  },
} as const
