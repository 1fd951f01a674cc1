/**
 * What the demo says. Pure. What a login or a policy chose never drives a terminal.
 */
import { plainText } from '../console/text-table.ts'
import { severityRank, isSeverity } from '../alerts/severity.ts'
import type { SeenAlert, Truth } from './demo-alerts.ts'
import { ATTACK_DAYS, LEARNING_DAYS, type DemoTraffic } from './demo-traffic.ts'

/** Of a terminal that does not say. */
const DEFAULT_COLUMNS = 100
const DAY_SECONDS = 86_400
const RED = '\u001B[31m'
const YELLOW = '\u001B[33m'
const OFF = '\u001B[0m'

export interface DemoPage {
  readonly columns: number | undefined
  readonly hasColours: boolean
}

interface DemoFacts {
  readonly traffic: DemoTraffic
  readonly users: number
  readonly seed: number
  readonly url: string
  readonly passwordFile: string
  readonly dayMs: number
}

export function opening({ traffic, users, seed, url, passwordFile, dayMs }: DemoFacts): string {
  const { learning, attacks } = traffic
  const pace = dayMs === 0 ? 'the other days come as fast' : `a day takes ${dayMs / 1000} s`
  return `trackalert demo: the logins of ${users} people, made up by the simulator (seed ${seed}): ${LEARNING_DAYS} days on which
the policy learns what is usual, then ${ATTACK_DAYS} days with ${attacks} attacks among them.

The real server runs with a copy of conf/trackalert.conf on ${url}, where
nobody else can reach it; its password is in ${passwordFile}.
Server and state go when the demo ends, or with Ctrl-C.

Time is pressed together: the days are over already, each report carries its own time, and this server, unlike one of
yours, takes that for now. Rules about the whole site look every five real minutes, so they take no part.

Learning from ${learning.length} logins of ${LEARNING_DAYS} days, as fast as this machine can; then ${pace}.
`
}

/** For a terminal: it is written over by the next. */
export function progress(sent: number, all: number): string {
  return `  ${Math.floor((sent / all) * 100)} %\r`
}

export function learned(seconds: number): string {
  return `Learned in ${seconds.toFixed(1)} s. Now the attacks; alerts of medium severity and above, as they come:\n\n`
}

export function isShown({ alert: { severity } }: SeenAlert): boolean {
  return isSeverity(severity) && severityRank(severity) >= severityRank('medium')
}

/** Three lines or more, and an empty one. */
export function alertText(seen: SeenAlert, startSeconds: number, page: DemoPage): string {
  const { id, rule, key, severity, message, first } = seen.alert
  const time = new Date(first * 1000).toISOString().slice(11, 16)
  const day = Math.floor((first - startSeconds) / DAY_SECONDS) + 1
  const colour = severity === 'medium' ? YELLOW : RED
  const shown = page.hasColours ? `${colour}${severity}${OFF}` : severity
  return [
    `day ${day}, ${time}  ${shown}  ${plainText(rule)}  ${plainText(key)}`,
    ...wrapped(plainText(message), (page.columns ?? DEFAULT_COLUMNS) - 4).map((line) => `    ${line}`),
    `    alert ${id}; ${truthText(seen.truth)}`,
    '\n',
  ].join('\n')
}

function truthText(truth: Truth): string {
  switch (truth.kind) {
    case 'attack':
      return `the simulator knows: this is attack ${truth.attack}`
    case 'honest':
      return `the simulator knows: a false alarm, honest login${truth.trap === undefined ? '' : ` (${truth.trap})`}`
    case 'unknown':
      return 'it is about no single login'
    default:
      return truth satisfies never
  }
}

function wrapped(text: string, width: number): readonly string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}

interface Played {
  readonly reports: number
  readonly seconds: number
  /** Attacks that had begun. */
  readonly attacks: number
}

export function summary(all: readonly SeenAlert[], { reports, seconds, attacks }: Played): string {
  const found = new Set(all.flatMap(({ truth }) => (truth.kind === 'attack' ? [truth.attack] : [])))
  const count = (isWanted: (seen: SeenAlert) => boolean): number => all.filter(isWanted).length
  const ofAttacks = count(({ truth }) => truth.kind === 'attack')
  const honest = count(({ truth }) => truth.kind === 'honest')
  const quiet = count((seen) => !isShown(seen))
  return `Played ${reports} logins in ${seconds.toFixed(0)} s. Found ${found.size} of the ${attacks} attacks that took place.
${all.length} alerts: ${ofAttacks} of attacks and ${honest} of honest logins; ${quiet} of them of low severity, which were not shown.
`
}

export function nextSteps(): string {
  return `What next:
  npm start                            runs a server of your own, for real logins
  npm run -s alerts -- explain ID      asks it why it raised an alert
  conf/trackalert.conf                 holds the thresholds; change some in a copy of it and see what would change:
  npm run -s trackalert -- simulate --output logins.ndjson
  npm run -s trackalert -- replay logins.ndjson -C conf/trackalert.conf --against conf/mine.conf
`
}

/** While the server stays up. */
export function staying({ url, passwordFile }: Pick<DemoFacts, 'url' | 'passwordFile'>): string {
  return `The server stays up until Ctrl-C. In another terminal, in this folder:
  npm run -s alerts -- --url ${url} --password-file ${passwordFile}
  npm run -s alerts -- explain 1 --url ${url} --password-file ${passwordFile}
`
}
