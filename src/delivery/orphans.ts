/**
 * Messages whose webhook or sink the configuration does not name any more. Main thread.
 *
 * They are not given up at once: a name may be missing by a slip of the pen, and the next start, or the next reload, brings
 * it back. But nor do they wait for ever and take up room: what is as old as any message may grow becomes a dead letter,
 * which can still be sent again when the name is there.
 */
import { messageOf } from '../errors.ts'
import type { Log } from '../telemetry/log.ts'
import type { Orphans, Outbox } from './outbox.ts'

interface OrphanDeps {
  readonly outbox: Pick<Outbox, 'buryOrphans'>
  /** Unix milliseconds. */
  readonly now: () => number
  readonly log: Log
  readonly metrics: {
    readonly webHooksDropped: { inc(labels: { readonly reason: 'no-receiver' }, count?: number): void }
  }
}

interface OrphanWatch {
  readonly start: () => void
  /** Looks at once: what was just taken out of the configuration may have left messages. */
  readonly namesChanged: () => void
  readonly stop: () => Promise<void>
}

const LOOK_EVERY_MS = 10 * 60_000
const REASON = 'no such webhook'

/**
 * @param named - what the configuration in force has
 * @param maxAgeMs - beyond it a message is given up
 */
export function watchOrphans(
  deps: OrphanDeps,
  named: () => readonly string[],
  maxAgeMs: number,
): OrphanWatch {
  const { outbox, now, log, metrics } = deps
  let timer: NodeJS.Timeout | undefined
  let looking: Promise<void> = Promise.resolve()
  let isStopped = false
  /** Names that the log knows of; bounded by those that the outbox holds. */
  const said = new Set<string>()

  /** A round buries a bounded number; another one follows while there were some. */
  async function look(): Promise<void> {
    for (;;) {
      if (isStopped) return
      const rule = { named: named(), createdBeforeMs: now() - maxAgeMs, reason: REASON }
      const orphans = await outbox.buryOrphans(rule)
      for (const found of orphans) tell(found)
      if (orphans.every(({ buried }) => buried === 0)) return
    }
  }

  function tell({ hook, buried, waiting }: Orphans): void {
    if (buried > 0) {
      metrics.webHooksDropped.inc({ reason: 'no-receiver' }, buried)
      log.error('messages for a webhook or sink that the configuration does not name are given up', {
        hook,
        messages: buried,
        help: 'name it again, and send them with resendDeadLetter',
      })
    }
    if (waiting > 0 && !said.has(hook)) {
      said.add(hook)
      log.error('messages wait for a webhook or sink that the configuration does not name', {
        hook,
        messages: waiting,
        'given-up-after-hours': Math.round((maxAgeMs / 3_600_000) * 100) / 100,
      })
    }
  }

  /** After a look that is under way: that one went by other names. */
  function lookAndWait(): void {
    clearTimeout(timer)
    looking = looking
      .then(look)
      .catch((error: unknown) => log.error('the outbox failed', { error: messageOf(error) }))
      .finally(() => {
        clearTimeout(timer)
        if (!isStopped) timer = setTimeout(lookAndWait, LOOK_EVERY_MS)
      })
  }

  return {
    start: lookAndWait,
    namesChanged() {
      // Should one of these go again, that is news.
      for (const name of named()) said.delete(name)
      if (!isStopped) lookAndWait()
    },
    stop() {
      isStopped = true
      clearTimeout(timer)
      return looking
    },
  }
}
