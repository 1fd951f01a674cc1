/**
 * Who may talk to the HTTP listeners when the configuration does not say. Pure.
 */

/** Private and loopback ranges: who may talk to the server as long as the configuration says nothing else. */
export const DEFAULT_ACL: readonly string[] = [
  '127.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '169.254.0.0/16',
  '192.168.0.0/16',
  '172.16.0.0/12',
  '::1/128',
  'fc00::/7',
  'fe80::/10',
]
