import { createServer as createHttpServer } from 'node:http'
import type { BrowserContext, Page } from 'playwright-core'
import { createServer as createRowcast, memoryLogStorage, memorySnapshotStorage, type LogStorage } from 'rowcast/server'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { openPages, type Pages } from '../../support/pages.ts'
import { TAKEOVER_MS } from '../../support/takeover.ts'
import { parseValue } from '../../../src/changes/index.ts'
import { listen, type Listening } from '../transports/peer.ts'
import { schema } from './page/schema.ts'

let pages: Pages
let context: BrowserContext
let server: Awaited<ReturnType<typeof serve>>

beforeAll(async () => {
  pages = await openPages(import.meta.url, ['rxjs', 'sql.js'])
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

/** Holds back what is written to logs: transactions that were sent stay without an answer. */
class Gate {
  #opened = Promise.resolve()
  #open: () => void = () => undefined
  #reached: () => void = () => undefined

  before(logs: LogStorage): LogStorage {
    return {
      open: async (...args) => {
        const log = await logs.open(...args)
        return {
          bounds: () => log.bounds(),
          append: async (...entries) => {
            this.#reached()
            await this.#opened
            await log.append(...entries)
          },
          read: (...range) => log.read(...range),
          bytes: (...range) => log.bytes(...range),
          trim: (...range) => log.trim(...range),
          close: () => log.close(),
        }
      },
      list: () => logs.list(),
      delete: (database) => logs.delete(database),
    }
  }

  /** From now on. Resolves once something is held back. */
  hold(): Promise<void> {
    this.#opened = new Promise((resolve) => (this.#open = resolve))
    return new Promise((resolve) => (this.#reached = resolve))
  }

  release(): void {
    this.#open()
  }
}

/** A server with one database, that counts its WebSockets and remembers its log. */
async function serve() {
  const logs = memoryLogStorage()
  const gate = new Gate()
  const rowcast = createRowcast({
    schema,
    storage: { logs: gate.before(logs), snapshots: memorySnapshotStorage() },
    cors: { origins: [pages.origin] },
  })
  await rowcast.databases.create('project')
  const sockets = { open: 0, most: 0, all: 0 }
  const http = createHttpServer()
  http.on('upgrade', (request, socket, head) => {
    sockets.all++
    sockets.most = Math.max(sockets.most, ++sockets.open)
    socket.on('close', () => sockets.open--)
    rowcast.upgrade(request, socket, head)
  })
  const listening: Listening = await listen(http)
  return {
    sockets,
    gate,
    url: `ws://${listening.host}`,
    /** Of each transaction in the log, in order. */
    logged: async () => {
      await rowcast.close()
      const log = await logs.open('project')
      const found: { readonly id: string; readonly keys: readonly unknown[] }[] = []
      for await (const { payload } of log.read(1)) {
        const record = parseValue(payload) as { id?: string; changes: { key: unknown }[] }
        if (record.id !== undefined) found.push({ id: record.id, keys: record.changes.map(({ key }) => key) })
      }
      await log.close()
      return found
    },
    stop: async () => {
      await rowcast.close()
      await listening.stop()
    },
  }
}

/** @param silenceMs how long a page may say nothing before the others pass it over */
async function open(silenceMs: number): Promise<Page> {
  const page = await context.newPage()
  await page.goto(`${pages.origin}/?server=${encodeURIComponent(server.url)}&silence=${silenceMs}`)
  await settled(page)
  return page
}

async function settled(page: Page): Promise<void> {
  await page.waitForFunction(() => window.syncedTab?.status?.state === 'live' && window.syncedTab.status.pending === 0)
}

function commit(page: Page, prefix: string, count: number): Promise<void> {
  return page.evaluate(([text, n]) => window.syncedTab!.commit(text, n), [prefix, count] as const)
}

async function crash(page: Page): Promise<void> {
  const crashed = page.waitForEvent('crash')
  const session = await context.newCDPSession(page)
  // Its answer never comes: the page is gone.
  session.send('Page.crash').catch(() => undefined)
  await crashed
}

/**
 * Of a page that stays: when, in milliseconds since 1970, it is live again through the next leader. How long it then
 * takes to confirm what was held back is a matter of how much that is, and of the machine.
 */
function timeOfReturn(page: Page): Promise<number> {
  return page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        let lost = false
        window.syncedTab!.sync.status$.subscribe(({ state }) => {
          if (state !== 'live') lost = true
          else if (lost) resolve(Date.now())
        })
      }),
  )
}

for (const [what, end] of [
  ['crashes', crash],
  ['closes', (page: Page) => page.close()],
] as const)
  test(`the leader ${what} with transactions in flight: another takes over within a second, nothing is lost or comes twice`, async () => {
    // That a page has gone is heard of at once. On a busy machine one that has not may say nothing for a while.
    const silenceMs = 2 * TAKEOVER_MS
    const open4 = [await open(silenceMs), await open(silenceMs), await open(silenceMs), await open(silenceMs)]
    expect(server.sockets).toEqual({ open: 1, most: 1, all: 1 })
    const expected: string[] = []
    const left = [...open4]
    for (let round = 0; round < 3; round++) {
      const leads = await Promise.all(left.map((page) => page.evaluate(() => window.syncedTab!.leads)))
      expect(leads.filter(Boolean)).toHaveLength(1)
      const leader = left.splice(leads.indexOf(true), 1)[0]!
      const back = left.map(timeOfReturn)
      const held = server.gate.hold()
      await Promise.all(left.map((page, n) => commit(page, `${round} ${n}`, 300)))
      for (const n of left.keys()) for (let i = 0; i < 300; i++) expected.push(`${round} ${n} ${i}`)
      // The server has them, and the leader will not hear what becomes of them.
      await held
      await end(leader)
      const from = Date.now()
      server.gate.release()
      for (const time of await Promise.all(back)) expect(time - from).toBeLessThan(TAKEOVER_MS)
      await Promise.all(left.map(settled))
    }
    const [last] = left
    expect((await last!.evaluate(() => window.syncedTab!.ids())).toSorted()).toEqual(expected.toSorted())
    // Of a page that has gone the server may hear when the next leader is there already.
    expect(server.sockets).toMatchObject({ open: 1, all: 4 })
    expect(server.sockets.most).toBeLessThanOrEqual(2)
    const logged = await server.logged()
    expect(new Set(logged.map(({ id }) => id)).size).toBe(logged.length)
    expect(logged.flatMap(({ keys }) => keys.map(String)).toSorted()).toEqual(expected.toSorted())
  })

test('the leader hangs: others are in step again within a second of a commit, and the log has each once', async () => {
  const [leader, page] = [await open(400), await open(400)]
  expect(await leader.evaluate(() => window.syncedTab!.leads)).toBe(true)
  const blocked = leader.evaluate(() => {
    for (const end = Date.now() + 3_000; Date.now() < end;);
  })
  const taken = await page.evaluate(async () => {
    const start = performance.now()
    window.syncedTab!.commit('while it hangs', 20)
    await new Promise<void>((resolve) => {
      window.syncedTab!.sync.status$.subscribe(({ state, pending }) => {
        if (state === 'live' && pending === 0) resolve()
      })
    })
    return performance.now() - start
  })
  await blocked
  expect(taken).toBeLessThan(TAKEOVER_MS)
  await settled(leader)
  await leader.waitForFunction(() => window.syncedTab!.ids().length === 20)
  expect(await leader.evaluate(() => window.syncedTab!.leads)).toBe(false)
  await expect.poll(() => server.sockets.open).toBe(1)
  const logged = await server.logged()
  expect(new Set(logged.map(({ id }) => id)).size).toBe(20)
  expect(logged).toHaveLength(20)
})
