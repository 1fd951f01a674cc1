/**
 * The facilities of syslog. Pure; of alert sinks and of the server's own log.
 */

/** Numbers of syslog's facilities, RFC 5424 section 6.2.1, by their names in the spelling of syslog(3). */
export const FACILITY_NUMBERS = {
  kern: 0,
  user: 1,
  mail: 2,
  daemon: 3,
  auth: 4,
  syslog: 5,
  lpr: 6,
  news: 7,
  uucp: 8,
  cron: 9,
  authpriv: 10,
  ftp: 11,
  local0: 16,
  local1: 17,
  local2: 18,
  local3: 19,
  local4: 20,
  local5: 21,
  local6: 22,
  local7: 23,
} as const
export type SyslogFacility = keyof typeof FACILITY_NUMBERS
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the keys are written above
export const SYSLOG_FACILITIES = Object.keys(FACILITY_NUMBERS) as readonly SyslogFacility[]
