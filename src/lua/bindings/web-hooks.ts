/**
 * Custom webhooks: naming them in the configuration and asking for a delivery in a run.
 */
import type { SettingsCollector } from '../../config/settings-collector.ts'
import { parseWebHookDefinition } from '../../delivery/web-hook.ts'
import { isLongerThan } from '../../login/byte-string.ts'
import type { HostFunction } from '../host-function.ts'

/** A receiver that takes more than this in one request is rare, and a queue of 50,000 of them would fill the memory. */
const MAX_BODY_BYTES = 1024 * 1024
/** What one run may ask for: a loop gone wrong must not fill the queue. */
const MAX_HOOKS_PER_RUN = 1000

interface WebHookDeps {
  readonly settings: SettingsCollector
  /** Names of the webhooks in force, for runs. */
  readonly isWebHook: (name: string) => boolean
}

export function webHookFunctions({ settings, isWebHook }: WebHookDeps): readonly HostFunction[] {
  return [
    {
      name: 'addCustomWebHook',
      usage: 'addCustomWebHook(name, keys)',
      summary: 'Names a webhook; its keys are url, secret, basic-auth, api-key, content-type and kafka.',
      scope: 'configuration',
      run(call) {
        const name = call.string(1, 'name')
        const keys: Record<string, string> = {}
        for (const [key, value] of call.record(2, 'keys')) {
          if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') {
            return call.fail(`the value of ${key} must be a string`)
          }
          keys[key] = String(value)
        }
        if (settings.webHooks.has(name))
          return call.fail(`there is already a webhook ${JSON.stringify(name)}`)
        const parsed = parseWebHookDefinition(name, new Map(Object.entries(keys)))
        if (!parsed.ok) return call.fail(parsed.reason)
        settings.webHooks.set(name, keys)
      },
    },
    {
      name: 'runCustomWebHook',
      usage: 'runCustomWebHook(name, body)',
      summary: 'Sends the body to the webhook once the run has ended well; a failed run sends nothing.',
      scope: 'anywhere',
      run(call) {
        const hook = call.string(1, 'name')
        const body = call.string(2, 'body')
        const { run } = call
        if (run === undefined)
          return call.fail('runCustomWebHook cannot be called while the configuration is read')
        if (!isWebHook(hook))
          return call.fail(`there is no webhook ${JSON.stringify(hook)}; name it with addCustomWebHook`)
        if (isLongerThan(body, MAX_BODY_BYTES))
          return call.fail(`the body is longer than ${MAX_BODY_BYTES} bytes`)
        if (run.effects.webHooks.length >= MAX_HOOKS_PER_RUN) {
          return call.fail(`one run may send at most ${MAX_HOOKS_PER_RUN} webhooks`)
        }
        run.effects.webHooks.push({ hook, body })
      },
    },
  ]
}
