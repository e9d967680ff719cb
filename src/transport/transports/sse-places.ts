/**
 * Streams of one host that the tabs of a browser hold at once. Over HTTP/1.1 it opens six connections to a host: one is
 * left for everything else.
 */
const MOST_STREAMS = 5

/** What is asked of Web Locks. */
export interface PlaceLocks {
  request(
    name: string,
    options: { readonly ifAvailable: true },
    run: (lock: unknown) => Promise<void> | undefined,
  ): Promise<unknown>
}

/** What gives a place back. */
export type Leave = () => void

/**
 * Takes one of the places that the streams of this browser have at a host. `undefined` where others hold them all. Where
 * nothing is to be counted, outside a page or over a newer HTTP, there always is one.
 */
export async function takePlace(
  host: string,
  locks: PlaceLocks | undefined = countedLocks(host),
): Promise<Leave | undefined> {
  if (!locks) return () => undefined
  for (let n = 1; n <= MOST_STREAMS; n++) {
    const leave = await take(locks, `rowcast:sse:${host}:${n}`)
    if (leave) return leave
  }
  return undefined
}

/** Why there is no place. */
export function noPlace(host: string): string {
  return (
    `${MOST_STREAMS} tabs hold server-sent events of ${host}, and a browser opens six connections to one host over ` +
    'HTTP/1.1: use HTTP/2, webSocketTransport or tabTransport'
  )
}

function take(locks: PlaceLocks, name: string): Promise<Leave | undefined> {
  return new Promise((resolve, reject) => {
    locks
      .request(name, { ifAvailable: true }, (lock) => {
        if (lock === null) {
          resolve(undefined)
          return undefined
        }
        return new Promise<void>((leave) => resolve(leave))
      })
      .catch(reject)
  })
}

function countedLocks(host: string): PlaceLocks | undefined {
  const { location, navigator } = globalThis as { readonly location?: Location; readonly navigator?: Navigator }
  if (location === undefined || !navigator?.locks) return undefined
  const protocol = protocolOf(host, location)
  return protocol === '' || protocol === 'http/1.1' ? navigator.locks : undefined
}

/** How this page has reached a host; empty where that is not known. */
function protocolOf(host: string, location: Location): string {
  const known = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
  const found = known.findLast(
    ({ name, nextHopProtocol }: PerformanceEntry & { readonly nextHopProtocol?: string }) =>
      nextHopProtocol && URL.canParse(name) && new URL(name, location.href).host === host,
  )
  return (found as { readonly nextHopProtocol?: string } | undefined)?.nextHopProtocol ?? ''
}
