/**
 * Every setting of the server: its type, unit, default and limits. Pure. The configuration functions take their ranges
 * from here, the collected settings are checked against it once more on the main thread and frozen there.
 */
import Type, { type Static } from 'typebox'
import Value from 'typebox/value'
import { GROUP_FIELDS } from '../alerts/alert-route.ts'
import { SEVERITIES } from '../alerts/severity.ts'
import { TrackError } from '../errors.ts'
import { MAX_THREADS, NUMBER_SETTINGS } from './number-settings.ts'

const ListenerSchema = Type.Object({
  host: Type.String({ minLength: 1 }),
  port: Type.Integer({ minimum: 0, maximum: 65535 }),
  tls: Type.Union([
    Type.Null(),
    Type.Object({
      certificateFile: Type.String(),
      keyFile: Type.String(),
      options: Type.Record(Type.String(), Type.String()),
    }),
  ]),
})

const WebHookSchema = Type.Object({
  name: Type.String({ minLength: 1 }),
  keys: Type.Record(Type.String(), Type.String()),
})

const AlertSinkSchema = Type.Object({
  name: Type.String({ minLength: 1 }),
  type: Type.String(),
  keys: Type.Record(
    Type.String(),
    Type.Union([
      Type.String(),
      Type.Number(),
      Type.Boolean(),
      Type.Array(Type.String()),
      Type.Object({ luaFunction: Type.Literal(true) }),
    ]),
  ),
})

const ScheduleSchema = Type.Object({
  /** Name given to setBackground. */
  background: Type.String({ minLength: 1 }),
  when: Type.Union([
    Type.Object({ kind: Type.Literal('cron'), pattern: Type.String() }),
    Type.Object({ kind: Type.Literal('interval'), seconds: Type.Number({ minimum: 1 }) }),
  ]),
})

const PATTERN = {
  rule: Type.Optional(Type.String()),
  key: Type.Optional(Type.String()),
  leastSeverity: Type.Optional(Type.Enum(SEVERITIES)),
  mostSeverity: Type.Optional(Type.Enum(SEVERITIES)),
}

const AlertRouteSchema = Type.Object({
  ...PATTERN,
  sinks: Type.Array(Type.String({ minLength: 1 }), { minItems: 1 }),
  groupBy: Type.Array(Type.Enum(GROUP_FIELDS)),
  groupWaitMs: Type.Number({ unit: 'milliseconds', minimum: 0 }),
  groupIntervalMs: Type.Number({ unit: 'milliseconds', minimum: 1000 }),
  repeatIntervalMs: Type.Number({ unit: 'milliseconds', minimum: 1000 }),
  continues: Type.Boolean(),
})

const SilenceSchema = Type.Object({
  ...PATTERN,
  id: Type.String(),
  author: Type.String({ minLength: 1 }),
  comment: Type.String({ minLength: 1 }),
  fromMs: Type.Number({ unit: 'Unix milliseconds' }),
  untilMs: Type.Number({ unit: 'Unix milliseconds' }),
})

const MaintenanceWindowSchema = Type.Object({
  ...PATTERN,
  id: Type.String(),
  cron: Type.String(),
  durationMs: Type.Number({ unit: 'milliseconds', minimum: 1000 }),
  comment: Type.String({ minLength: 1 }),
})

/** Settings that are one number. */
const numbers = mapValues(NUMBER_SETTINGS, ({ unit, description, preset, min, max }) =>
  Type.Integer({ unit, description, default: preset, minimum: min, maximum: max }),
)

const SettingsSchema = Type.Object({
  ...numbers,
  listeners: Type.Array(ListenerSchema),
  acl: Type.Array(Type.String()),
  webserverPassword: Type.Union([Type.Null(), Type.String()], { default: null }),
  metricsNeedPassword: Type.Boolean({ default: true }),
  controlSocket: Type.Union([Type.Null(), Type.Object({ host: Type.String(), port: Type.Integer() })], {
    default: null,
  }),
  controlKey: Type.Union([Type.Null(), Type.String()], { default: null }),
  /** Number of policy workers; null: one per core but one. */
  luaStates: Type.Union([Type.Null(), Type.Integer({ minimum: 1, maximum: MAX_THREADS })], { default: null }),
  reportThreads: Type.Union([Type.Null(), Type.Integer({ minimum: 1, maximum: MAX_THREADS })], {
    default: null,
  }),
  webHooks: Type.Array(WebHookSchema, { default: [] }),
  customStats: Type.Array(Type.String(), { default: [] }),
  customEndpoints: Type.Array(Type.String(), { default: [] }),
  backgrounds: Type.Array(Type.String(), { default: [] }),
  /** Names given to setEventHandler. */
  eventHandlers: Type.Array(Type.String(), { default: [] }),
  schedules: Type.Array(ScheduleSchema, { default: [] }),
  hasReport: Type.Boolean({ default: false }),
  durability: Type.Union([Type.Literal('fsync'), Type.Literal('os'), Type.Literal('none')], {
    default: 'fsync',
  }),
  historyDays: Type.Number({ unit: 'days', default: 7, minimum: 0, maximum: 36_500 }),
  historyMegabytes: Type.Number({ unit: 'megabytes', default: 1024, minimum: 0, maximum: 100_000_000 }),
  alertHistoryDays: Type.Number({ unit: 'days', default: 90, minimum: 0, maximum: 36_500 }),
  alertSinks: Type.Array(AlertSinkSchema, { default: [] }),
  alertRoutes: Type.Array(AlertRouteSchema, { default: [] }),
  alertSilences: Type.Array(SilenceSchema, { default: [] }),
  maintenanceWindows: Type.Array(MaintenanceWindowSchema, { default: [] }),
  tlsClient: Type.Object(
    {
      verifyPeer: Type.Boolean({ default: true }),
      verifyHost: Type.Boolean({ default: true }),
      caBundleFile: Type.Union([Type.Null(), Type.String()], { default: null }),
      clientCertificateFile: Type.Union([Type.Null(), Type.String()], { default: null }),
      clientKeyFile: Type.Union([Type.Null(), Type.String()], { default: null }),
    },
    { default: {} },
  ),
})

type DeepReadonly<T> = T extends readonly (infer E)[]
  ? readonly DeepReadonly<E>[]
  : T extends object
    ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
    : T

export type Settings = DeepReadonly<Static<typeof SettingsSchema>>
export type ScheduleSettings = Settings['schedules'][number]
/**
 * The settings with defaults filled in, checked and frozen.
 *
 * @throws TrackError TRK_CONFIG_INVALID naming the first setting that does not fit the schema.
 */
export function settingsFrom(collected: unknown): Settings {
  const filled = Value.Default(SettingsSchema, collected)
  if (!Value.Check(SettingsSchema, filled)) {
    const first = Value.Errors(SettingsSchema, filled)[0]
    throw new TrackError(
      'TRK_CONFIG_INVALID',
      `${first?.instancePath ?? ''} ${first?.message ?? 'does not fit'}`,
    )
  }
  return deepFreeze(filled)
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
