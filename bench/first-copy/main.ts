import { filter, firstValueFrom } from 'rxjs'
import { createStore } from 'rowcast'
import { webSocketTransport } from 'rowcast/transport'
import wasmUrl from 'sql.js/dist/sql-wasm-browser.wasm?url'
import { schema } from './schema.ts'

/** What came of it: times in ms. */
export interface Figures {
  readonly took: number
  /** The longest task that the browser has seen, and all of them over 50 ms. */
  readonly longestTask: number
  readonly longTasks: number
  /** The longest time between two ticks of a clock of 10 ms. */
  readonly longestGap: number
  readonly bytes: number
  readonly rows: number
  /** Until the engine, without data, was there: it is not in `took`. */
  readonly fetched?: number
}

declare global {
  interface Window {
    copy(url: string): Promise<Figures>
    file(url: string): Promise<Figures>
    ready: boolean
  }
}

const locateFile = (): string => wasmUrl

/** Runs `work` and watches how long the page can't answer meanwhile. */
async function watched(work: () => Promise<{ bytes: number; rows: number; fetched?: number }>): Promise<Figures> {
  const tasks: number[] = []
  const observer = new PerformanceObserver((list) => tasks.push(...list.getEntries().map(({ duration }) => duration)))
  observer.observe({ type: 'longtask' })
  let [last, longestGap] = [performance.now(), 0]
  const tick = (): void => {
    const now = performance.now()
    longestGap = Math.max(longestGap, now - last)
    last = now
  }
  const clock = setInterval(tick, 10)
  const from = performance.now()
  const done = await work()
  const took = performance.now() - from
  tick()
  clearInterval(clock)
  await new Promise((resolve) => setTimeout(resolve, 100))
  observer.disconnect()
  return { took, longestTask: Math.max(0, ...tasks), longTasks: tasks.length, longestGap, ...done }
}

window.copy = (url) =>
  watched(async () => {
    let bytes = 0
    class Counted extends WebSocket {
      constructor(address: string | URL, protocols?: string | string[]) {
        super(address, protocols)
        // All of it is ASCII.
        this.addEventListener('message', ({ data }) => (bytes += (data as string).length))
      }
    }
    const transport = webSocketTransport({ url: url.replace('http', 'ws'), WebSocket: Counted })
    const store = await createStore({ schema, locateFile, sync: { transport, database: 'd' } })
    await firstValueFrom(store.sync.status$.pipe(filter(({ state }) => state === 'live')))
    return { bytes, rows: store.table('shape').count() }
  })

window.file = (url) =>
  watched(async () => {
    const from = performance.now()
    const response = await fetch(`${url}/v1/databases/d/export`)
    if (!response.ok) throw new Error(await response.text())
    const data = await response.arrayBuffer()
    const fetched = performance.now() - from
    const store = await createStore({ schema, locateFile, data })
    return { bytes: data.byteLength, rows: store.table('shape').count(), fetched }
  })

// SQLite's WebAssembly and the engine are there before anything is measured.
await (await createStore({ schema, locateFile })).close()
window.ready = true
