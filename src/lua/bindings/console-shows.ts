/**
 * Commands of the console that show how the server does: counts, access, webhooks, workers, settings. The main thread
 * answers them; this file makes text of its answers, the reference's where it has the command. Lives on the configuration
 * thread.
 */
import { textTable } from '../../console/text-table.ts'
import type { HostFunction } from '../host-function.ts'
import { askServer, type AskServer } from './ask-server.ts'

export function consoleShowFunctions(ask: AskServer): readonly HostFunction[] {
  return [...countFunctions(ask), ...webHookFunctions(ask), sinkFunction(ask), ...serverFunctions(ask)]
}

/** A command without arguments. */
function command(name: string, summary: string, run: () => Promise<string>): HostFunction {
  return { name, usage: `${name}()`, summary, scope: 'console', run }
}

function countFunctions(ask: AskServer): readonly HostFunction[] {
  const counts = async (of: 'performance' | 'commands' | 'custom'): Promise<string> => {
    const answer = await askServer(ask, { kind: 'counts', of })
    const entries = Object.entries(answer.counts)
    // In the order of their limits; names that requests bring stand sorted.
    const shown = of === 'performance' ? entries : entries.toSorted(([a], [b]) => (a < b ? -1 : 1))
    return shown.map(([name, count]) => `${name}=${count}\n`).join('')
  }
  return [
    command('stats', 'How many reports the server has taken since its start.', async () => {
      const { reports } = await askServer(ask, { kind: 'report-count' })
      return `${reports} reports\n`
    }),
    command(
      'showPerfStats',
      'How long runs waited for a policy worker (WTW) and took in it (WTR), milliseconds, in the last 5 minutes.',
      () => counts('performance'),
    ),
    command('showCommandStats', 'How often each HTTP command came in the last 5 minutes.', () =>
      counts('commands'),
    ),
    command('showCustomStats', 'The counters of incCustomStat over the last 5 minutes.', () =>
      counts('custom'),
    ),
  ]
}

function webHookFunctions(ask: AskServer): readonly HostFunction[] {
  return [
    command('showCustomWebHooks', 'Every webhook with its tries since the start.', async () => {
      const { hooks } = await askServer(ask, { kind: 'web-hooks' })
      return textTable(
        [
          { title: 'ID', width: 9 },
          { title: 'Name', width: 20, isCut: true },
          { title: 'Successes', width: 9 },
          { title: 'Failures', width: 9 },
          { title: 'URL', width: 0 },
        ],
        hooks.map(({ id, name, successes, failures, url }) => [
          String(id),
          name,
          String(successes),
          String(failures),
          url,
        ]),
      )
    }),
    command(
      'showWebHookQueue',
      'How many webhooks wait, and for each hook what is under way and when it is tried next.',
      async () => {
        const { hooks, waiting } = await askServer(ask, { kind: 'web-hooks' })
        const table = textTable(
          [
            { title: 'ID', width: 9 },
            { title: 'Name', width: 20, isCut: true },
            { title: 'Sending', width: 9 },
            { title: 'Next try', width: 24 },
            { title: 'State', width: 0 },
          ],
          hooks.map((hook) => [
            String(hook.id),
            hook.name,
            String(hook.sending),
            hook.nextTryAtMs === undefined ? '-' : new Date(hook.nextTryAtMs).toISOString(),
            hook.isHeldBack ? 'failing: one try at a time' : 'ok',
          ]),
        )
        const what =
          waiting === 1 ? 'webhook or notification waits or is' : 'webhooks and notifications wait or are'
        return `${table}${waiting} ${what} under way\n`
      },
    ),
  ]
}

function sinkFunction(ask: AskServer): HostFunction {
  return command('showAlertSinks', 'Every alert sink with its tries since the start.', async () => {
    const { sinks } = await askServer(ask, { kind: 'alert-sinks' })
    return textTable(
      [
        { title: 'Name', width: 20, isCut: true },
        { title: 'Type', width: 9 },
        { title: 'Successes', width: 9 },
        { title: 'Failures', width: 9 },
        { title: 'Place', width: 0 },
      ],
      sinks.map(({ name, type, place, successes, failures }) => [
        name,
        type,
        String(successes),
        String(failures),
        place,
      ]),
    )
  })
}

function serverFunctions(ask: AskServer): readonly HostFunction[] {
  return [
    command('showACL', 'The netmasks from which the HTTP listeners may be used.', async () => {
      const { netmasks } = await askServer(ask, { kind: 'acl' })
      return netmasks.map((mask) => `${mask}\n`).join('')
    }),
    command('showCustomEndpoints', 'The names of the custom endpoints.', async () => {
      const { names } = await askServer(ask, { kind: 'endpoints' })
      return textTable(
        [{ title: 'Custom Endpoint', width: 0 }],
        names.map((name) => [name]),
      )
    }),
    command('showVersion', 'The version of the server.', async () => {
      const { version } = await askServer(ask, { kind: 'version' })
      return `trackalert ${version}\n`
    }),
    command(
      'showWorkers',
      'Every policy worker with the runs that are in it and that wait for it.',
      async () => {
        const { workers } = await askServer(ask, { kind: 'workers' })
        return textTable(
          [
            { title: 'Worker', width: 9 },
            { title: 'State', width: 10 },
            { title: 'Running', width: 9 },
            { title: 'Waiting', width: 0 },
          ],
          workers.map(({ state, running, waiting }, index) => [
            String(index),
            state,
            String(running),
            String(waiting),
          ]),
        )
      },
    ),
    command(
      'showConfig',
      'Every setting in force with its unit, and whether it is the default; no secret.',
      async () => {
        const { settings } = await askServer(ask, { kind: 'settings' })
        return settings
          .map(({ name, value, unit, isDefault }) => {
            const withUnit = unit === '' ? value : `${value} ${unit}`
            return `${name} = ${withUnit}${isDefault ? ' (default)' : ''}\n`
          })
          .join('')
      },
    ),
  ]
}
