/**
 * Custom statistics: counters that the operator names, policies increment, and stats, log and metrics show.
 */
import type { SettingsCollector } from '../../config/settings-collector.ts'
import type { HostFunction } from '../host-function.ts'

/** Each is a label value of a metric; a monitoring system pays for every one. */
const MAX_CUSTOM_STATS = 1000

interface StatisticsDeps {
  readonly settings: SettingsCollector
  readonly isCustomStat: (name: string) => boolean
}

export function statisticsFunctions({ settings, isCustomStat }: StatisticsDeps): readonly HostFunction[] {
  return [
    {
      name: 'addCustomStat',
      usage: 'addCustomStat(name)',
      summary: 'Names a counter for incCustomStat.',
      scope: 'configuration',
      run(call) {
        const name = call.string(1, 'name')
        if (name === '') return call.fail('the name must not be empty')
        settings.customStats.add(name)
        if (settings.customStats.size > MAX_CUSTOM_STATS)
          return call.fail(`there may be at most ${MAX_CUSTOM_STATS} counters`)
      },
    },
    {
      name: 'incCustomStat',
      usage: 'incCustomStat(name)',
      summary: 'Adds one to a counter once the run has ended well.',
      scope: 'anywhere',
      run(call) {
        const name = call.string(1, 'name')
        if (!isCustomStat(name))
          return call.fail(`there is no counter ${JSON.stringify(name)}; name it with addCustomStat`)
        const stats = call.run?.effects.customStats
        stats?.set(name, (stats.get(name) ?? 0) + 1)
      },
    },
  ]
}
