/**
 * The border to ua-parser-js: a second opinion on user agents of which the rules know browser, system or device only as
 * `Other`. Pure; on policy workers. Each of its three parts costs time, so that only the missing ones are asked for.
 */
import { UAParser } from 'ua-parser-js'
import { OTHER, type UserAgentMatch } from './match-user-agent.ts'

/** The match, with what ua-parser-js knows in place of what is `Other`. */
export function withFallback(match: UserAgentMatch, userAgent: string): UserAgentMatch {
  const { userAgent: agent, os, device } = match
  if (agent.family !== OTHER && os.family !== OTHER && device.family !== OTHER) return match
  // An empty text would make the library look for a browser around it.
  const parser = new UAParser(userAgent || '-')
  return {
    userAgent: agent.family === OTHER ? (browserOf(parser) ?? agent) : agent,
    os: os.family === OTHER ? (systemOf(parser) ?? os) : os,
    device: device.family === OTHER ? (deviceOf(parser) ?? device) : device,
  }
}

function browserOf(parser: UAParser): UserAgentMatch['userAgent'] | undefined {
  const { name, version } = parser.getBrowser()
  if (!name) return undefined
  const [major, minor, patch] = version?.split('.') ?? []
  return { family: name, major: major || undefined, minor: minor || undefined, patch: patch || undefined }
}

function systemOf(parser: UAParser): UserAgentMatch['os'] | undefined {
  const { name, version } = parser.getOS()
  if (!name) return undefined
  const [major, minor, patch] = version?.split('.') ?? []
  return {
    family: name,
    major: major || undefined,
    minor: minor || undefined,
    patch: patch || undefined,
    patchMinor: undefined,
  }
}

function deviceOf(parser: UAParser): UserAgentMatch['device'] | undefined {
  const { vendor, model } = parser.getDevice()
  if (!vendor && !model) return undefined
  // As uap-core's rules name devices: brand and model.
  const family = [vendor, model].filter(Boolean).join(' ')
  return { family, brand: vendor || undefined, model: model || undefined }
}
