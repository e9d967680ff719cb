import { fileURLToPath } from 'node:url'
import { type Browser, chromium } from 'playwright-core'
import { createServer } from 'vite'
import { aliases } from '../../scripts/aliases.ts'
import { findChromium } from '../../scripts/chromium.ts'

/** Pages of a test, served from their source, and the Chromium that opens them. */
export interface Pages {
  /** Without a slash at its end. */
  readonly origin: string
  readonly browser: Browser
  close(): Promise<void>
}

/**
 * Serves the folder `page` beside a test.
 *
 * @param test `import.meta.url` of the test
 * @param packages what the pages import: found only while the first page loads, it would make the page load again
 * @param cache a name, where other tests serve the same folder at the same time
 */
export async function openPages(test: string, packages: readonly string[], cache?: string): Promise<Pages> {
  const root = new URL('../../', import.meta.url)
  const server = await createServer({
    configFile: false,
    root: fileURLToPath(new URL('page', test)),
    ...(cache !== undefined && { cacheDir: fileURLToPath(new URL(`node_modules/.vite/${cache}`, root)) }),
    resolve: { alias: aliases },
    optimizeDeps: { include: [...packages] },
    server: { host: '127.0.0.1', port: 0, hmr: false, watch: null, fs: { strict: false } },
    logLevel: 'error',
  })
  await server.listen()
  const address = server.httpServer?.address()
  if (!address || typeof address === 'string') throw new Error('The server of the pages has no port.')
  const executablePath = findChromium()
  const browser = await chromium.launch({
    ...(executablePath === undefined ? {} : { executablePath }),
    args: ['--no-sandbox', '--disable-dev-shm-usage'],
  })
  return {
    origin: `http://127.0.0.1:${address.port}`,
    browser,
    async close() {
      await browser.close()
      await server.close()
    },
  }
}
