/**
 * Certificates of the authority that only tests trust: for localhost and 127.0.0.1, for another host's name, and for a
 * client. Valid for a hundred years; the authority's key was thrown away.
 */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

function path(name: string): string {
  return fileURLToPath(new URL(`../fixtures/tls/private-ca/${name}.pem`, import.meta.url))
}

function pair(name: string): { readonly cert: string; readonly key: string } {
  return { cert: readFileSync(path(name), 'utf8'), key: readFileSync(path(`${name}-key`), 'utf8') }
}

export const privateCa = {
  caFile: path('ca'),
  serverFile: path('server'),
  clientFile: path('client'),
  clientKeyFile: path('client-key'),
  serverKeyFile: path('server-key'),
  ca: readFileSync(path('ca'), 'utf8'),
  server: pair('server'),
  otherHost: pair('other-host'),
}
