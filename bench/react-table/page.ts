import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium, type Page } from 'playwright-core'
import { build, type InlineConfig, type Plugin, preview } from 'vite'
import { findChromium } from '../../scripts/chromium.ts'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

const prefix = 'virtual:peers/'

/** Finds `virtual:peers/name` where the peers are installed. */
const peers: Plugin = {
  name: 'rowcast-bench-peers',
  enforce: 'pre',
  resolveId(id) {
    return id.startsWith(prefix) ? this.resolve(id.slice(prefix.length), here('../peers/package.json')) : undefined
  },
}

/** The apps, built and served, and a browser for them. */
export interface Tables {
  readonly version: string
  /** A new page with one app, loaded. */
  open(app: string): Promise<Page>
  close(): Promise<void>
}

/** Builds the apps as for production, with rowcast as it was built, and opens Chromium. `minify`: without, profiles have names. */
export async function startTables({ dist = '../../dist', minify = true }): Promise<Tables> {
  const outDir = await mkdtemp(join(tmpdir(), 'rowcast-table-'))
  const config: InlineConfig = {
    root: here('.'),
    configFile: false,
    logLevel: 'error',
    mode: 'production',
    plugins: [peers],
    define: { 'process.env.NODE_ENV': '"production"' },
    resolve: {
      alias: [
        { find: /^rowcast$/, replacement: here(`${dist}/index.js`) },
        { find: /^rowcast\/react$/, replacement: here(`${dist}/react.js`) },
      ],
      dedupe: ['react', 'react-dom'],
    },
    build: { outDir, emptyOutDir: true, minify, target: 'esnext', chunkSizeWarningLimit: 2_000 },
    // Lets the page's clock have its full resolution.
    preview: {
      port: 0,
      host: '127.0.0.1',
      headers: { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' },
    },
  }
  await build(config)
  const server = await preview(config)
  const address = server.httpServer.address()
  if (address === null || typeof address === 'string') throw new Error('The server of the tables has no port.')
  const executablePath = findChromium()
  const browser = await chromium.launch({
    ...(executablePath === undefined ? {} : { executablePath }),
    args: [
      '--no-sandbox',
      '--disable-dev-shm-usage',
      '--disable-frame-rate-limit',
      '--disable-gpu-vsync',
      '--js-flags=--expose-gc',
    ],
  })
  return {
    version: browser.version(),
    open: async (app) => {
      const page = await browser.newPage({ viewport: { width: 1280, height: 900 } })
      const failed = new Promise<never>((_, reject) => {
        page.on('pageerror', reject)
        page.on('crash', () => reject(new Error(`The page of ${app} crashed.`)))
      })
      await page.goto(`http://127.0.0.1:${address.port}/?app=${app}`)
      await Promise.race([failed, page.locator('#run').waitFor()])
      // Whoever measures finds a document that is not as it should be.
      failed.catch((error: unknown) => console.error(`${app}:`, error))
      return page
    },
    close: async () => {
      await browser.close()
      await server.close()
      await rm(outDir, { recursive: true, force: true })
    },
  }
}
