import type { ProxyOptions } from 'vite'

/** Lets vite's server pass the sync server's calls on, WebSockets too: one origin serves all. */
export function proxyTo(target: string): Record<string, ProxyOptions> {
  return { '/v1': { target, ws: true } }
}
