/**
 * The schemas of the alerts command in the description of the HTTP API. Pure data.
 */

const text = { type: 'string' } as const
const severity = { type: 'string', enum: ['info', 'low', 'medium', 'high', 'critical'] } as const

export const ALERT_SCHEMAS = {
  Alert: {
    type: 'object',
    required: [
      'id',
      'rule',
      'key',
      'severity',
      'message',
      'user',
      'count',
      'state',
      'first',
      'last',
      'comments',
    ],
    properties: {
      id: { type: 'number' },
      rule: text,
      key: text,
      severity,
      message: text,
      value: { type: 'number' },
      threshold: { type: 'number' },
      data: { description: 'What raiseAlert was given, any JSON.' },
      user: { ...text, description: 'Login that it is about; empty when it is about none.' },
      count: { type: 'number', description: 'How often it was raised.' },
      state: { type: 'string', enum: ['open', 'acknowledged', 'resolved'] },
      silence: { ...text, description: 'Id of what silences it now.' },
      first: { type: 'number', description: 'Unix time in seconds.' },
      last: { type: 'number', description: 'Unix time in seconds.' },
      first_report: { $ref: '#/components/schemas/AlertReport' },
      last_report: { $ref: '#/components/schemas/AlertReport' },
      acknowledged: { $ref: '#/components/schemas/AlertNote' },
      resolved: { $ref: '#/components/schemas/AlertNote' },
      comments: { type: 'array', items: { $ref: '#/components/schemas/AlertNote' } },
      notifications: {
        type: 'array',
        description: 'What was told of it, newest first; only when one alert is asked for.',
        items: { $ref: '#/components/schemas/AlertNotification' },
      },
    },
  },
  AlertReport: {
    type: 'object',
    required: ['id', 'login', 'remote', 't'],
    properties: { id: { type: 'number' }, login: text, remote: text, t: { type: 'number' } },
  },
  AlertNote: {
    type: 'object',
    required: ['author', 'comment', 'at'],
    properties: { author: text, comment: text, at: { type: 'number', description: 'Unix time in seconds.' } },
  },
  AlertNotification: {
    type: 'object',
    required: ['at', 'group', 'reason', 'total', 'deliveries'],
    properties: {
      at: { type: 'number', description: 'Unix time in seconds.' },
      group: text,
      reason: { type: 'string', enum: ['new', 'changed', 'repeat', 'resolved'] },
      total: { type: 'number', description: 'Alerts that it was about.' },
      deliveries: {
        type: 'array',
        items: {
          type: 'object',
          required: ['sink', 'delivery', 'state', 'tries', 'to', 'answer', 'at'],
          properties: {
            sink: text,
            delivery: text,
            state: { type: 'string', enum: ['queued', 'retrying', 'delivered', 'failed'] },
            tries: { type: 'number' },
            to: text,
            answer: text,
            at: { type: 'number' },
          },
        },
      },
    },
  },
  Alerts: {
    type: 'object',
    required: ['alerts'],
    properties: { alerts: { type: 'array', items: { $ref: '#/components/schemas/Alert' } } },
  },
  OneAlert: {
    type: 'object',
    required: ['alert'],
    properties: {
      alert: { $ref: '#/components/schemas/Alert' },
      explanation: {
        type: 'object',
        description: 'Only when it is asked for; empty when nothing is kept.',
        properties: {
          first: { $ref: '#/components/schemas/AlertRaise' },
          latest: { $ref: '#/components/schemas/AlertRaise' },
        },
      },
    },
  },
  AlertAction: {
    type: 'object',
    required: ['action', 'id', 'author'],
    properties: {
      action: { type: 'string', enum: ['ack', 'resolve', 'comment'] },
      id: { type: 'number' },
      author: { ...text, maxLength: 128 },
      comment: { ...text, maxLength: 2048, description: 'Needed to comment.' },
    },
  },
  AlertRaise: {
    type: 'object',
    required: ['at', 'severity', 'message', 'reads', 'earlier_reads'],
    properties: {
      at: { type: 'number', description: 'Unix time in seconds.' },
      severity,
      message: text,
      value: { type: 'number' },
      threshold: { type: 'number' },
      report: {
        type: 'object',
        description: 'Of the report whose run it was; without the hash of the password.',
        required: ['login', 'remote', 't', 'success'],
        properties: {
          id: { type: 'number' },
          login: text,
          remote: text,
          t: { type: 'number' },
          success: { type: 'boolean' },
          fail_type: text,
          protocol: text,
          tls: { type: 'boolean' },
          device_id: text,
          device_attrs: { type: 'object', additionalProperties: { type: 'string' } },
        },
      },
      parameters: { type: 'object', description: 'Of the rule, as raiseAlert was given them.' },
      reads: {
        type: 'array',
        description: 'What the policy had asked its trends until then, in this order.',
        items: {
          type: 'object',
          required: ['call', 'database', 'key', 'field', 'answer'],
          properties: {
            call: { ...text, description: 'The function, such as twGet.' },
            database: text,
            key: text,
            field: text,
            item: text,
            answer: { description: 'Any JSON; null when nothing was known.', nullable: true },
            entries: { type: 'number', description: 'How many there were, where some are left out.' },
          },
        },
      },
      earlier_reads: { type: 'number', description: 'Earlier ones, which are not kept.' },
    },
  },
} as const
