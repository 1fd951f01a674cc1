/**
 * Where to reach a server that listens on an address. Pure.
 */

/** A server on all addresses is reached on the loopback one. */
export function reachableHost(host: string): string {
  if (/^[0.]+$/.test(host)) return '127.0.0.1'
  return /^[0:]+$/.test(host) ? '::1' : host
}

/** `127.0.0.1:5199`, `[::1]:5199` */
export function addressText(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
