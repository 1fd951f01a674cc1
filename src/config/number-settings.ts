/**
 * Settings that are one number: unit, default and limits. Plain data, apart from the schema, since policy workers need
 * the limits and not the schema's library.
 */

interface NumberSetting {
  readonly unit: string
  readonly description: string
  readonly preset: number
  readonly min: number
  readonly max: number
}

export const MAX_THREADS = 256

export const NUMBER_SETTINGS = {
  httpThreads: {
    unit: 'threads',
    description: 'HTTP listener threads',
    preset: 4,
    min: 1,
    max: MAX_THREADS,
  },
  maxConnections: {
    unit: 'connections',
    description: 'open HTTP connections over all listeners',
    preset: 10_000,
    min: 1,
    max: 1_000_000,
  },
  schedulerThreads: {
    unit: 'threads',
    description: 'kept for the reference; background functions run on policy workers',
    preset: 4,
    min: 1,
    max: MAX_THREADS,
  },
  webHookThreads: {
    unit: 'threads',
    description: 'times webHookConnectionsPerThread is the connections to one receiver',
    preset: 5,
    min: 1,
    max: MAX_THREADS,
  },
  webHookConnectionsPerThread: {
    unit: 'connections',
    description: 'see webHookThreads',
    preset: 10,
    min: 1,
    max: 1000,
  },
  webHookQueueSize: {
    unit: 'deliveries',
    description: 'webhooks that may wait for their receiver',
    preset: 50_000,
    min: 1,
    max: 10_000_000,
  },
  webHookTimeoutSeconds: {
    unit: 'seconds',
    description: 'one try of one webhook',
    preset: 2,
    min: 1,
    max: 300,
  },
} as const satisfies Readonly<Record<string, NumberSetting>>

export type NumberSettingName = keyof typeof NUMBER_SETTINGS
