import { createServer as createHttpServer } from 'node:http'
import type { BrowserContext, Page } from 'playwright-core'
import { createServer as createRowcast, memoryLogStorage, memorySnapshotStorage } from 'rowcast/server'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { openPages, type Pages } from '../../support/pages.ts'
import { parseValue } from '../../../src/changes/index.ts'
import { listen, type Listening } from '../transports/peer.ts'
import { schema } from './page/schema.ts'

let pages: Pages
let context: BrowserContext
let server: Awaited<ReturnType<typeof serve>>

beforeAll(async () => {
  pages = await openPages(import.meta.url, ['rxjs', 'sql.js', 'idb'], 'tab-persistence')
})

afterAll(() => pages.close())

beforeEach(async () => {
  context = await pages.browser.newContext()
  server = await serve()
})

afterEach(async () => {
  await context.close()
  await server.stop()
})

/** A server with one database, which nobody reaches until it is put online. */
async function serve() {
  const logs = memoryLogStorage()
  const rowcast = createRowcast({
    schema,
    storage: { logs, snapshots: memorySnapshotStorage() },
    cors: { origins: [pages.origin] },
  })
  await rowcast.databases.create('project')
  let online = false
  const http = createHttpServer()
  const sockets = new Set<{ destroy(): void }>()
  http.on('upgrade', (request, socket, head) => {
    if (!online) {
      socket.destroy()
      return
    }
    sockets.add(socket)
    rowcast.upgrade(request, socket, head)
  })
  const listening: Listening = await listen(http)
  return {
    url: `ws://${listening.host}`,
    goOnline: () => void (online = true),
    goOffline: () => {
      online = false
      for (const socket of sockets) socket.destroy()
    },
    /** The key of each transaction in the log. */
    logged: async () => {
      await rowcast.close()
      const log = await logs.open('project')
      const keys: string[] = []
      for await (const { payload } of log.read(1)) {
        const { id, changes } = parseValue(payload) as { id?: string; changes: { key: string }[] }
        if (id !== undefined) keys.push(...changes.map(({ key }) => key))
      }
      await log.close()
      return keys
    },
    stop: async () => {
      await rowcast.close()
      await listening.stop()
    },
  }
}

async function open(storage: string, more: { readonly user?: string; readonly rescue?: 'yes' } = {}): Promise<Page> {
  const page = await context.newPage()
  const given = new URLSearchParams({ server: server.url, storage, ...more })
  await page.goto(`${pages.origin}/kept.html?${given}`)
  await page.waitForFunction(() => window.keptTab !== undefined)
  return page
}

async function commit(page: Page, prefix: string, count: number): Promise<string[]> {
  await page.evaluate(
    async ([text, n]) => {
      window.keptTab!.commit(text, n)
      await window.keptTab!.saved()
    },
    [prefix, count] as const,
  )
  return Array.from({ length: count }, (_, n) => `${prefix} ${n}`)
}

async function settled(page: Page): Promise<void> {
  await page.waitForFunction(() => window.keptTab!.state === 'live' && window.keptTab!.pending.length === 0)
}

async function ids(page: Page): Promise<string[]> {
  return (await page.evaluate(() => window.keptTab!.ids())).toSorted()
}

async function pending(page: Page, count: number): Promise<string[]> {
  await page.waitForFunction((n) => window.keptTab!.pending.length === n, count)
  return page.evaluate(() => window.keptTab!.pending.map(String))
}

async function crash(page: Page): Promise<void> {
  const crashed = page.waitForEvent('crash')
  const session = await context.newCDPSession(page)
  // Its answer never comes: the page is gone.
  session.send('Page.crash').catch(() => undefined)
  await crashed
}

for (const storage of ['indexedDb', 'opfs'])
  describe(`in ${storage}`, () => {
    test('both tabs are killed offline: the one that opens next has the edits of both, and the server applies each once', async () => {
      const [a, b] = await Promise.all([open(storage), open(storage)])
      const edits = await Promise.all([commit(a, 'a', 20), commit(b, 'b', 20)])
      await Promise.all([crash(a), crash(b)])
      const c = await open(storage)
      const left = await pending(c, 40)
      for (const each of edits) expect(left.filter((key) => each.includes(key))).toEqual(each)
      expect(await ids(c)).toEqual(edits.flat().toSorted())
      server.goOnline()
      await settled(c)
      expect(await ids(c)).toEqual(edits.flat().toSorted())
      expect((await server.logged()).toSorted()).toEqual(edits.flat().toSorted())
    })

    test('the tab that has it open is killed: nothing that another saved through it is lost, or applied twice', async () => {
      const a = await open(storage)
      const [b, c] = [await open(storage), await open(storage)]
      const edits = [await commit(a, 'a', 10), await commit(b, 'b', 10), await commit(c, 'c', 10)]
      await crash(a)
      // The next one goes on saving, with what the first has left.
      edits.push(await commit(b, 'b later', 10), await commit(c, 'c later', 10))
      await expect.poll(async () => (await ids(b)).length + (await ids(c)).length).toBe(50)
      await crash(c)
      await pending(b, 50)
      await saved(b)
      await crash(b)
      const d = await open(storage)
      await pending(d, 50)
      expect(await ids(d)).toEqual(edits.flat().toSorted())
      server.goOnline()
      await settled(d)
      expect((await server.logged()).toSorted()).toEqual(edits.flat().toSorted())
    })

    test('a second tab opens offline with what is confirmed there, and all of it is there after both were killed', async () => {
      server.goOnline()
      const a = await open(storage)
      const edits = await commit(a, 'a', 5)
      await settled(a)
      await saved(a)
      server.goOffline()
      await a.waitForFunction(() => window.keptTab!.state !== 'live')
      const mine = await commit(a, 'mine', 1)
      const b = await open(storage)
      expect(await ids(b)).toEqual(edits)
      await Promise.all([crash(a), crash(b)])
      const c = await open(storage)
      expect(await ids(c)).toEqual([...edits, ...mine])
      expect(await pending(c, 1)).toEqual(mine)
    })
  })

/** Another page flips a byte in the middle of the last record that has this text, which lies in nobody's hands. */
async function flip(text: string): Promise<void> {
  const page = await context.newPage()
  await page.goto(`${pages.origin}/bare.html`)
  await page.evaluate(async (wanted) => {
    const all = await (await navigator.storage.getDirectory()).getDirectoryHandle('.rowcast')
    const folder = await all.getDirectoryHandle('store-kept')
    const names: string[] = []
    for await (const name of folder.keys()) names.push(name)
    const journal = await folder.getFileHandle(names.find((name) => name.endsWith('.log'))!)
    const bytes = new Uint8Array(await (await journal.getFile()).arrayBuffer())
    const at = new TextDecoder('latin1').decode(bytes).lastIndexOf(wanted)
    if (at === -1) throw new Error(`No record has ${wanted}.`)
    bytes[at] = bytes[at]! ^ 0x01
    const writing = await journal.createWritable()
    await writing.write(bytes)
    await writing.close()
  }, text)
  await page.close()
}

test('two tabs open over a copy with a flipped byte: one rescues it, both show what is intact, and what waits is sent', async () => {
  server.goOnline()
  const first = await open('opfs')
  const confirmed = await commit(first, 'confirmed', 3)
  await settled(first)
  server.goOffline()
  await first.waitForFunction(() => window.keptTab!.state !== 'live')
  const mine = await commit(first, 'mine', 3)
  await first.evaluate(() => window.keptTab!.saved())
  await first.close()
  await flip('mine 1')
  const tabs = await Promise.all([open('opfs', { rescue: 'yes' }), open('opfs', { rescue: 'yes' })])
  const asked = await Promise.all(tabs.map((page) => page.evaluate(() => window.keptTab!.asked)))
  expect(asked.toSorted((a, b) => a - b)).toEqual([0, 1])
  const [holder, guest] = asked[0] === 1 ? tabs : tabs.toReversed()
  const intact = [mine[0]!, mine[2]!]
  expect(await pending(holder!, 2)).toEqual(intact)
  expect(await ids(holder!)).toEqual([...confirmed, ...intact])
  // What waits is shown by the tab that sends it.
  expect(await ids(guest!)).toEqual(confirmed)
  await Promise.all(tabs.map(saved))
  await Promise.all(tabs.map(crash))
  const again = await open('opfs')
  // It would refuse what is damaged still.
  expect(await again.evaluate(() => window.keptTab!.refused)).toBe(undefined)
  expect(await pending(again, 2)).toEqual(intact)
  server.goOnline()
  await settled(again)
  expect((await server.logged()).toSorted()).toEqual([...confirmed, ...intact])
})

test('a tab of a second user beside one of the first is refused, and shares and changes nothing', async () => {
  const a = await open('opfs', { user: 'ada' })
  const edits = await commit(a, 'a', 3)
  const b = await open('opfs', { user: 'bob' })
  expect(await b.evaluate(() => window.keptTab!.refused)).toBe('other-user')
  edits.push(...(await commit(a, 'later', 2)))
  await a.close()
  // Nor once the first user's tab has gone.
  const late = await open('opfs', { user: 'bob' })
  expect(await late.evaluate(() => window.keptTab!.refused)).toBe('other-user')
  const again = await open('opfs', { user: 'ada' })
  expect(await pending(again, 5)).toEqual(edits)
  expect(await ids(again)).toEqual(edits.toSorted())
})

async function saved(page: Page): Promise<void> {
  await page.evaluate(() => window.keptTab!.saved())
}
