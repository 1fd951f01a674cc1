/**
 * Why an alert was raised: for people as text, for Lua code as a table.
 */
import { explanationText } from '../../alerts/explanation-text.ts'
import { viewAlert, viewEvidence } from '../../alerts/alert-view.ts'
import type { HostFunction } from '../host-function.ts'
import { askAlerts } from './alert-arguments.ts'
import type { AskStore } from './stored-reports.ts'

const ID = { min: 1, max: Number.MAX_SAFE_INTEGER } as const

export function explainFunctions(ask: AskStore): readonly HostFunction[] {
  return [
    {
      name: 'explainAlert',
      usage: 'explainAlert(id, format)',
      summary:
        'Why an alert was raised: report, what the policy had read from trends, thresholds; text, or with "table" a table.',
      scope: 'anywhere',
      async run(call) {
        const id = call.integer(1, 'id', ID)
        const format = call.optionalString(2, 'format') ?? 'text'
        if (format !== 'text' && format !== 'table') return call.fail('format must be "text" or "table"')
        const reply = await askAlerts(call, ask, { kind: 'explain', id })
        if (reply.kind !== 'explanation') return undefined
        return format === 'text'
          ? explanationText(reply.alert, reply.evidence).trimEnd()
          : { alert: viewAlert(reply.alert), ...viewEvidence(reply.evidence) }
      },
    },
  ]
}
