import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium, type Page } from 'playwright-core'
import { build, type InlineConfig, preview } from 'vite'
import { findChromium } from '../../scripts/chromium.ts'
import { profiled } from '../support/profile.ts'
import { median, printTable, quantile } from '../support/statistics.ts'
import type { Figures } from './main.ts'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

const ways = ['copy', 'file'] as const
type Way = (typeof ways)[number]

/** What a page held in the end, in bytes: after a collection. */
interface Measured extends Figures {
  readonly heap: number
}

export interface Options {
  readonly rows: number
  readonly rounds: number
  readonly only?: string | undefined
  readonly profile: boolean
  /** Where rowcast was built, from here. */
  readonly dist?: string | undefined
}

async function startServer(rows: number): Promise<{ readonly child: ChildProcess; readonly url: string }> {
  const child = fork(here('../first-copy.ts'), ['server', '--rows', String(rows)], {
    execArgv: ['--disable-warning=ExperimentalWarning'],
  })
  const died = once(child, 'exit').then(() => Promise.reject(new Error('The server did not start.')))
  // It goes on waiting after the race.
  died.catch(() => undefined)
  const [{ port }] = (await Promise.race([once(child, 'message'), died])) as [{ port: number }]
  return { child, url: `http://127.0.0.1:${port}` }
}

async function round(page: Page, way: Way, url: string, profile: boolean): Promise<Measured> {
  const work = (): Promise<Figures> => page.evaluate(([name, at]) => window[name](at), [way, url] as const)
  const figures = profile ? await profiled(page, way, work) : await work()
  const session = await page.context().newCDPSession(page)
  await session.send('HeapProfiler.enable')
  await session.send('HeapProfiler.collectGarbage')
  const { usedSize } = await session.send('Runtime.getHeapUsage')
  return { ...figures, heap: usedSize }
}

/** Opens the same database both ways, each time in a fresh page, and prints what that took. */
export async function compare({ rows, rounds, only, profile, dist = '../../dist' }: Options): Promise<void> {
  const outDir = await mkdtemp(join(tmpdir(), 'rowcast-copy-'))
  const config: InlineConfig = {
    root: here('.'),
    configFile: false,
    logLevel: 'error',
    mode: 'production',
    resolve: {
      alias: [
        { find: /^rowcast$/, replacement: here(`${dist}/index.js`) },
        { find: /^rowcast\/transport$/, replacement: here(`${dist}/transport.js`) },
      ],
    },
    build: { outDir, emptyOutDir: true, minify: !profile, target: 'esnext', chunkSizeWarningLimit: 2_000 },
    preview: { port: 0, host: '127.0.0.1' },
  }
  await build(config)
  const pages = await preview(config)
  const address = pages.httpServer.address()
  if (address === null || typeof address === 'string') throw new Error('The server of the pages has no port.')
  const executablePath = findChromium()
  const browser = await chromium.launch({
    ...(executablePath === undefined ? {} : { executablePath }),
    args: ['--no-sandbox', '--disable-dev-shm-usage'],
  })
  const { child, url } = await startServer(rows)
  const wanted = ways.filter((way) => only === undefined || way === only)
  const results = new Map<Way, Measured[]>(wanted.map((way) => [way, []]))
  try {
    console.log(
      `Chromium ${browser.version()}, ${cpus().length} processors; ${rows} rows; medians (and worst) of ${rounds} rounds`,
    )
    for (let at = 0; at < rounds; at++)
      for (const way of wanted) {
        const page = await browser.newPage()
        page.on('pageerror', (error) => console.error(`${way}:`, error))
        await page.goto(`http://127.0.0.1:${address.port}/`)
        await page.waitForFunction(() => window.ready)
        const figures = await round(page, way, url, profile)
        if (figures.rows !== rows) throw new Error(`${way}: ${figures.rows} rows, not ${rows}`)
        results.get(way)!.push(figures)
        await page.close()
      }
  } finally {
    await browser.close()
    await pages.close()
    child.kill()
    await rm(outDir, { recursive: true, force: true })
  }
  const figure = (way: Way, of: (one: Measured) => number, unit: number): string => {
    const values = results.get(way)!.map((one) => of(one) / unit)
    return `${median(values).toFixed(1)} (${quantile(values, 1).toFixed(1)})`
  }
  const lines: [string, (one: Measured) => number, number][] = [
    ['until it is there, ms', ({ took }) => took, 1],
    ['of this until the file was here, ms', ({ fetched = Number.NaN }) => fetched, 1],
    ['longest task, ms', ({ longestTask }) => longestTask, 1],
    ['tasks of more than 50 ms', ({ longTasks }) => longTasks, 1],
    ['longest gap of a clock of 10 ms, ms', ({ longestGap }) => longestGap, 1],
    ['bytes over the wire, MB', ({ bytes }) => bytes, 1_000_000],
    ['JavaScript heap in the end, MB', ({ heap }) => heap, 1_000_000],
  ]
  printTable(
    ['', ...wanted],
    lines.map(([name, of, unit]) => [name, ...wanted.map((way) => figure(way, of, unit))]),
  )
}
