/**
 * Functions with which the configuration names what is to run: for reports, in the background, for custom endpoints.
 * In a policy state they keep the Lua function; on the configuration thread they also tell the settings its name.
 */
import type { SettingsCollector } from '../../config/settings-collector.ts'
import { ANY_EVENT } from '../../events/event-handlers.ts'
import { isServerEventName, SERVER_EVENTS } from '../../events/server-event.ts'
import { parseCron } from '../../schedule/cron.ts'
import { parseDuration } from '../../schedule/interval.ts'
import type { HostCall, HostFunction } from '../host-function.ts'
import type { LuaFunction } from '../lua-value.ts'

const ENDPOINT_NAME = /^[A-Za-z0-9_.-]{1,128}$/
/** Commands of the server, which a custom endpoint cannot take over. */
const RESERVED_ENDPOINTS: ReadonlySet<string> = new Set([
  'report',
  'stats',
  'alerts',
  'livez',
  'readyz',
  'openapi.json',
])

/** The Lua functions of one state, by what they are for. */
export class Registrations {
  report: LuaFunction | undefined = undefined
  readonly backgrounds = new Map<string, LuaFunction>()
  readonly endpoints = new Map<string, LuaFunction>()
  /** By the name of the event, or ANY_EVENT. */
  readonly eventHandlers = new Map<string, LuaFunction>()
  /** By the name of the alert sink. */
  readonly sinkFunctions = new Map<string, LuaFunction>()
}

interface RegistrationDeps {
  readonly settings: SettingsCollector
  readonly registrations: Registrations
}

export function registrationFunctions(deps: RegistrationDeps): readonly HostFunction[] {
  return [
    {
      name: 'setReport',
      usage: 'setReport(function(lt) … end)',
      summary: 'Sets the function that is run for every report; it gets a LoginTuple.',
      scope: 'registration',
      run(call) {
        deps.registrations.report = call.function(1, 'function')
        deps.settings.hasReport = true
      },
    },
    {
      name: 'setBackground',
      usage: 'setBackground(name, function() … end)',
      summary:
        'Names a function that cronScheduleBackgroundFunc and intervalScheduleBackgroundFunc can schedule.',
      scope: 'registration',
      run(call) {
        const name = call.string(1, 'name')
        if (name === '') return call.fail('the name must not be empty')
        deps.registrations.backgrounds.set(name, call.function(2, 'function'))
        deps.settings.backgrounds.add(name)
      },
    },
    {
      name: 'setEventHandler',
      usage: 'setEventHandler(name, function(event) … end)',
      summary:
        'Runs the function when something happens to the server, such as bad-password; "*" stands for all.',
      scope: 'registration',
      run(call) {
        const name = call.string(1, 'name')
        if (name !== ANY_EVENT && !isServerEventName(name)) {
          const known = Object.keys(SERVER_EVENTS).join(', ')
          return call.fail(`there is no event ${JSON.stringify(name)}; there are ${known} and "${ANY_EVENT}"`)
        }
        deps.registrations.eventHandlers.set(name, call.function(2, 'function'))
        deps.settings.eventHandlers.add(name)
      },
    },
    {
      name: 'setCustomEndpoint',
      usage: 'setCustomEndpoint(name, function(args) … return true, {key="value"} end)',
      summary: 'Answers POST /command/NAME by running the function.',
      scope: 'registration',
      run(call) {
        const name = call.string(1, 'name')
        if (!ENDPOINT_NAME.test(name)) {
          return call.fail(
            'the name of a custom endpoint is 1 to 128 letters, digits, dots, dashes and underscores',
          )
        }
        if (RESERVED_ENDPOINTS.has(name))
          return call.fail(`${name} is a command of the server; choose another name`)
        deps.registrations.endpoints.set(name, call.function(2, 'function'))
        deps.settings.customEndpoints.add(name)
      },
    },
    ...scheduleFunctions(deps),
  ]
}

function scheduleFunctions({ settings, registrations }: RegistrationDeps): readonly HostFunction[] {
  return [
    {
      name: 'cronScheduleBackgroundFunc',
      usage: 'cronScheduleBackgroundFunc(pattern, name)',
      summary: 'Runs a background function by a cron pattern: minute hour day month weekday, local time.',
      scope: 'configuration',
      run(call) {
        const pattern = call.string(1, 'pattern')
        const parsed = parseCron(pattern)
        if (!parsed.ok) return call.fail(parsed.reason)
        if (parsed.pattern.next(Date.now()) === undefined)
          return call.fail(`${JSON.stringify(pattern)} is never due`)
        settings.schedules.push({ background: backgroundName(call), when: { kind: 'cron', pattern } })
      },
    },
    {
      name: 'intervalScheduleBackgroundFunc',
      usage: 'intervalScheduleBackgroundFunc(duration, name)',
      summary: 'Runs a background function every h[h][:mm][:ss].',
      scope: 'configuration',
      run(call) {
        const text = call.string(1, 'duration')
        const seconds = parseDuration(text)
        if (seconds === undefined || seconds < 1) {
          return call.fail(
            `${JSON.stringify(text)} is no interval; write h[h][:mm][:ss], at least one second, such as 00:30:00`,
          )
        }
        settings.schedules.push({ background: backgroundName(call), when: { kind: 'interval', seconds } })
      },
    },
  ]

  function backgroundName(call: HostCall): string {
    const name = call.string(2, 'name')
    if (!registrations.backgrounds.has(name)) {
      return call.fail(
        `there is no background function ${JSON.stringify(name)}; name it with setBackground first`,
      )
    }
    return name
  }
}
