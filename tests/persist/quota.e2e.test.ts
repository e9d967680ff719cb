import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type BrowserContext, chromium, type Page } from 'playwright-core'
import { createServer, type ViteDevServer } from 'vite'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { aliases } from '../../scripts/aliases.ts'
import { findChromium } from '../../scripts/chromium.ts'

let server: ViteDevServer
let context: BrowserContext
let profile: string
let page: Page
let origin: string

beforeAll(async () => {
  server = await createServer({
    configFile: false,
    root: fileURLToPath(new URL('page', import.meta.url)),
    resolve: { alias: aliases },
    // Found only while the first page loads, it would make the page load again.
    optimizeDeps: { include: ['idb'] },
    server: { host: '127.0.0.1', port: 0, hmr: false, watch: null },
    logLevel: 'error',
  })
  await server.listen()
  const address = server.httpServer?.address()
  if (!address || typeof address === 'string') throw new Error('The server of the page has no port.')
  origin = `http://127.0.0.1:${address.port}`
})

afterAll(async () => {
  await server.close()
})

beforeEach(async () => {
  const executablePath = findChromium()
  profile = mkdtempSync(join(tmpdir(), 'rowcast-test-'))
  // With a profile on the disk: without one Chromium keeps OPFS in memory, where no quota holds for it.
  context = await chromium.launchPersistentContext(profile, {
    ...(executablePath === undefined ? {} : { executablePath }),
    args: ['--no-sandbox', '--disable-dev-shm-usage'],
  })
  page = await load()
})

afterEach(async () => {
  await context.close()
  rmSync(profile, { recursive: true, force: true, maxRetries: 5 })
})

async function load(): Promise<Page> {
  const loaded = await context.newPage()
  await loaded.goto(origin)
  await loaded.waitForFunction(() => window.persist !== undefined)
  return loaded
}

/** Before storage is first used: what Chromium has granted already it doesn't take back. */
async function limit(quotaSize: number): Promise<void> {
  const session = await context.newCDPSession(page)
  await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize })
}

const MB = 2 ** 20

for (const kind of ['opfs', 'indexedDb'] as const) {
  test(`${kind}: a write beyond the quota is refused as such and leaves nothing, and the session goes on`, async () => {
    await limit(10 * MB)
    await page.evaluate((kind) => window.persist.open(kind), kind)
    await page.evaluate(() => window.persist.replace(1000, [1]))
    const kept = { snapshot: 1000, records: [1] }
    for (const write of [
      () => page.evaluate((MB) => window.persist.append([5, 20 * MB, 6]), MB),
      () => page.evaluate((MB) => window.persist.replace(20 * MB, [5]), MB),
      () => page.evaluate((MB) => window.persist.replace(5, [6, 20 * MB]), MB),
    ]) {
      expect(await write()).toEqual({ code: 'quota', usage: 'number', quota: 'number' })
      expect(await page.evaluate(() => window.persist.load())).toEqual(kept)
    }
    expect(await page.evaluate(() => window.persist.append([2]))).toEqual({ code: 'done' })
    expect(await page.evaluate(() => window.persist.load())).toEqual({ snapshot: 1000, records: [1, 2] })
    await page.close()
    page = await load()
    await page.evaluate((kind) => window.persist.open(kind), kind)
    expect(await page.evaluate(() => window.persist.load())).toEqual({ snapshot: 1000, records: [1, 2] })
    expect(await page.evaluate(() => window.persist.replace(7, []))).toEqual({ code: 'done' })
    expect(await page.evaluate(() => window.persist.load())).toEqual({ snapshot: 7, records: [] })
  })
}

test('what IndexedDB kept is used there while space does not suffice to move it to OPFS', async () => {
  await limit(10 * MB)
  await page.evaluate(() => window.persist.open('indexedDb'))
  expect(await page.evaluate((MB) => window.persist.replace(7 * MB, [1]), MB)).toEqual({ code: 'done' })
  await page.evaluate(() => window.persist.close())
  await page.evaluate(() => window.persist.open('opfs'))
  expect(await page.evaluate(() => window.persist.append([2]))).toEqual({ code: 'done' })
  expect(await page.evaluate(() => window.persist.load())).toEqual({ snapshot: 7 * MB, records: [1, 2] })
  const names = await page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name))
  expect(names).toEqual(['rowcast:quota'])
  expect(await page.evaluate(() => window.persist.replace(1000, [3]))).toEqual({ code: 'done' })
  await page.evaluate(() => window.persist.close())
  await page.evaluate(() => window.persist.open('opfs'))
  expect(await page.evaluate(() => window.persist.load())).toEqual({ snapshot: 1000, records: [3] })
})
