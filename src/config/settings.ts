/**
 * Every setting of the server: its type, default and limits. Pure. The units of numbers are in number-settings.ts or in
 * their names. What the configuration functions have collected is checked once more on the main thread, and frozen there.
 */
import * as v from 'valibot'
import { GROUP_FIELDS } from '../alerts/alert-route.ts'
import { SEVERITIES } from '../alerts/severity.ts'
import { TrackError } from '../errors.ts'
import { MAX_THREADS, NUMBER_SETTINGS } from './number-settings.ts'

const number = v.pipe(v.number(), v.finite())
const filled = v.pipe(v.string(), v.minLength(1))
const flag = (preset: boolean) => v.optional(v.boolean(), preset)
const text = v.optional(v.nullable(v.string()), null)
const whole = (min: number, max: number) => v.pipe(v.number(), v.integer(), v.minValue(min), v.maxValue(max))
const amount = (preset: number, max: number) =>
  v.optional(v.pipe(number, v.minValue(0), v.maxValue(max)), preset)
const milliseconds = (min: number) => v.pipe(number, v.minValue(min))
const threads = v.optional(v.nullable(whole(1, MAX_THREADS)), null)
const names = v.optional(v.array(v.string()), [])

const ListenerSchema = v.object({
  host: filled,
  port: whole(0, 65_535),
  tls: v.nullable(
    v.object({
      certificateFile: v.string(),
      keyFile: v.string(),
      options: v.record(v.string(), v.string()),
    }),
  ),
})

const WebHookSchema = v.object({ name: filled, keys: v.record(v.string(), v.string()) })

const AlertSinkSchema = v.object({
  name: filled,
  type: v.string(),
  keys: v.record(
    v.string(),
    v.union([
      v.string(),
      number,
      v.boolean(),
      v.array(v.string()),
      v.object({ luaFunction: v.literal(true) }),
    ]),
  ),
})

const ScheduleSchema = v.object({
  /** Name given to setBackground. */
  background: filled,
  when: v.variant('kind', [
    v.object({ kind: v.literal('cron'), pattern: v.string() }),
    v.object({ kind: v.literal('interval'), seconds: v.pipe(number, v.minValue(1)) }),
  ]),
})

const PATTERN = {
  rule: v.exactOptional(v.string()),
  key: v.exactOptional(v.string()),
  leastSeverity: v.exactOptional(v.picklist(SEVERITIES)),
  mostSeverity: v.exactOptional(v.picklist(SEVERITIES)),
}

const AlertRouteSchema = v.object({
  ...PATTERN,
  sinks: v.pipe(v.array(filled), v.minLength(1)),
  groupBy: v.array(v.picklist(GROUP_FIELDS)),
  groupWaitMs: milliseconds(0),
  groupIntervalMs: milliseconds(1000),
  repeatIntervalMs: milliseconds(1000),
  continues: v.boolean(),
})

const SilenceSchema = v.object({
  ...PATTERN,
  id: v.string(),
  author: filled,
  comment: filled,
  /** Unix milliseconds. */
  fromMs: number,
  untilMs: number,
})

const MaintenanceWindowSchema = v.object({
  ...PATTERN,
  id: v.string(),
  cron: v.string(),
  durationMs: milliseconds(1000),
  comment: filled,
})

/** Settings that are one number. */
const numbers = mapValues(NUMBER_SETTINGS, ({ preset, min, max }) => v.optional(whole(min, max), preset))

const SettingsSchema = v.object({
  ...numbers,
  listeners: v.array(ListenerSchema),
  acl: v.array(v.string()),
  webserverPassword: text,
  metricsNeedPassword: flag(true),
  controlSocket: v.optional(
    v.nullable(v.object({ host: v.string(), port: v.pipe(v.number(), v.integer()) })),
    null,
  ),
  controlKey: text,
  /** Number of policy workers; null: one per core but one. */
  luaStates: threads,
  reportThreads: threads,
  webHooks: v.optional(v.array(WebHookSchema), []),
  customStats: names,
  customEndpoints: names,
  backgrounds: names,
  /** Names given to setEventHandler. */
  eventHandlers: names,
  schedules: v.optional(v.array(ScheduleSchema), []),
  hasReport: flag(false),
  durability: v.optional(v.picklist(['fsync', 'os', 'none']), 'fsync'),
  historyDays: amount(7, 36_500),
  historyMegabytes: amount(1024, 100_000_000),
  alertHistoryDays: amount(90, 36_500),
  alertSinks: v.optional(v.array(AlertSinkSchema), []),
  alertRoutes: v.optional(v.array(AlertRouteSchema), []),
  alertSilences: v.optional(v.array(SilenceSchema), []),
  maintenanceWindows: v.optional(v.array(MaintenanceWindowSchema), []),
  tlsClient: v.optional(
    v.object({
      verifyPeer: flag(true),
      verifyHost: flag(true),
      caBundleFile: text,
      clientCertificateFile: text,
      clientKeyFile: text,
    }),
    {},
  ),
})

type DeepReadonly<T> = T extends readonly (infer E)[]
  ? readonly DeepReadonly<E>[]
  : T extends object
    ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
    : T

export type Settings = DeepReadonly<v.InferOutput<typeof SettingsSchema>>
export type ScheduleSettings = Settings['schedules'][number]
/**
 * The settings with defaults filled in, checked and frozen.
 *
 * @throws TrackError TRK_CONFIG_INVALID naming the first setting that does not fit the schema.
 */
export function settingsFrom(collected: unknown): Settings {
  const checked = v.safeParse(SettingsSchema, collected, { abortEarly: true })
  if (!checked.success) {
    const [first] = checked.issues
    throw new TrackError('TRK_CONFIG_INVALID', `${v.getDotPath(first) ?? 'the settings'}: ${first.message}`)
  }
  return deepFreeze(checked.output)
}

function deepFreeze<T>(value: T): DeepReadonly<T>
function deepFreeze(value: unknown): unknown {
  if (typeof value === 'object' && value !== null) {
    for (const member of Object.values(value)) deepFreeze(member)
    Object.freeze(value)
  }
  return value
}

function mapValues<K extends string, V, W>(record: Readonly<Record<K, V>>, map: (value: V) => W): Record<K, W>
function mapValues(record: Readonly<Record<string, unknown>>, map: (value: unknown) => unknown) {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]))
}
