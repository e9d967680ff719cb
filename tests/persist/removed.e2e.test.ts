import type { BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { openPages, type Pages } from '../support/pages.ts'

type Kind = 'opfs' | 'indexedDb'

let pages: Pages
let context: BrowserContext

beforeAll(async () => {
  pages = await openPages(import.meta.url, ['rxjs', 'sql.js', 'idb'], 'removed')
})

afterAll(() => pages.close())

beforeEach(async () => {
  context = await pages.browser.newContext()
})

afterEach(() => context.close())

async function load(): Promise<Page> {
  const page = await context.newPage()
  await page.goto(`${pages.origin}/removed.html`)
  await page.waitForFunction(() => window.removed !== undefined)
  return page
}

/** A page whose store has kept card `a`. */
async function filled(kind: Kind): Promise<Page> {
  const page = await load()
  expect(await page.evaluate((kind) => window.removed.open(kind), kind)).toBe('done')
  await page.evaluate(() => window.removed.insert('a'))
  expect(await page.evaluate(() => window.removed.saved())).toBe('done')
  return page
}

async function saved(page: Page): Promise<string> {
  return page.evaluate(() => window.removed.saved())
}

/** What a page finds that opens it anew. */
async function reread(kind: Kind, before: Page): Promise<unknown> {
  await before.close()
  const page = await load()
  expect(await page.evaluate((kind) => window.removed.open(kind), kind)).toBe('done')
  return page.evaluate(() => window.removed.ids())
}

/** What the browser does where its user clears the data of a site: it closes what is open. */
async function clearSiteData(page: Page): Promise<void> {
  const session = await context.newCDPSession(page)
  await session.send('Storage.clearDataForOrigin', { origin: pages.origin, storageTypes: 'all' })
}

test('an IndexedDB database that another tab deletes is written anew before saved() resolves, with nothing new to write', async () => {
  const page = await filled('indexedDb')
  const other = await load()
  await other.evaluate(() => window.removed.deleteDatabase())
  expect(await saved(page)).toBe('done')
  expect(await reread('indexedDb', page)).toEqual(['a'])
})

test('what is written to IndexedDB after another tab has deleted it lies on a whole snapshot', async () => {
  const page = await filled('indexedDb')
  const other = await load()
  await other.evaluate(() => window.removed.deleteDatabase())
  await page.evaluate(() => window.removed.insert('b'))
  expect(await saved(page)).toBe('done')
  expect(await reread('indexedDb', page)).toEqual(['a', 'b'])
})

test('a database that another tab has made another one of is not taken for saved, and once that is gone all is written', async () => {
  const page = await filled('indexedDb')
  const other = await load()
  await other.evaluate(() => window.removed.openHigher())
  expect(await saved(page)).toBe('persistence-failed')
  await page.evaluate(() => window.removed.insert('b'))
  expect(await saved(page)).toBe('persistence-failed')
  await other.evaluate(() => window.removed.deleteDatabase())
  expect(await saved(page)).toBe('done')
  expect(await reread('indexedDb', page)).toEqual(['a', 'b'])
})

test('files of OPFS that another tab removes are written anew before saved() resolves', async () => {
  const page = await filled('opfs')
  const other = await load()
  // The journal is open, and stays.
  expect(await other.evaluate(() => window.removed.removeFiles())).toEqual([expect.stringMatching(/\.db$/)])
  expect(await saved(page)).toBe('done')
  expect(await reread('opfs', page)).toEqual(['a'])
})

for (const kind of ['indexedDb', 'opfs'] as const)
  for (const inserts of [[], ['b']])
    test(`site data cleared under ${kind}: saved() resolves once a page that opens finds all, ${inserts.length} rows later`, async () => {
      const page = await filled(kind)
      await clearSiteData(page)
      for (const id of inserts) await page.evaluate((id) => window.removed.insert(id), id)
      expect(await saved(page)).toBe('done')
      expect(await reread(kind, page)).toEqual(['a', ...inserts])
    })
