import type { BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { openPages, type Pages } from '../support/pages.ts'
import { TAKEOVER_MS } from '../support/takeover.ts'

let pages: Pages
let context: BrowserContext

beforeAll(async () => {
  pages = await openPages(import.meta.url, ['rxjs'])
})

afterAll(() => pages.close())

beforeEach(async () => {
  context = await pages.browser.newContext()
})

afterEach(() => context.close())

async function open(search = '?stand'): Promise<Page> {
  const page = await context.newPage()
  await page.goto(`${pages.origin}/${search}`)
  await page.waitForFunction(() => window.testTab?.present.length > 0)
  return page
}

function idOf(page: Page): Promise<string> {
  return page.evaluate(() => window.testTab.tabs.id)
}

async function led(page: Page, leader: string): Promise<void> {
  await page.waitForFunction((id) => window.testTab.leader === id, leader)
}

async function present(page: Page, count: number): Promise<void> {
  await page.waitForFunction((expected) => window.testTab.present.length === expected, count)
}

/** Starts requests, without waiting for their answers. */
function ask(page: Page, count: number): Promise<void> {
  return page.evaluate((n) => {
    const { answers, tabs } = window.testTab
    for (let i = 0; i < n; i++) answers.push(tabs.request('work', answers.length))
  }, count)
}

function answers(page: Page): Promise<string[]> {
  return page.evaluate(() => Promise.all(window.testTab.answers))
}

/** Measured in the page that waits: for how long `leader` was not yet known to lead. */
function timeUntilLedBy(page: Page, leader: string): Promise<number> {
  return page.evaluate((id) => {
    const start = performance.now()
    return new Promise<number>((resolve) => {
      window.testTab.tabs.leader$.subscribe((now) => now === id && resolve(performance.now() - start))
    })
  }, leader)
}

async function holdBack(page: Page): Promise<void> {
  await page.evaluate(() => void (window.testTab.holdBack = true))
}

function runs(page: Page): Promise<number[]> {
  return page.evaluate(() => Object.values(window.testTab.runs))
}

describe('when the leader', () => {
  async function threeTabs(): Promise<[Page, Page, Page, string]> {
    const first = await open()
    await led(first, await idOf(first))
    const second = await open()
    const asking = await open('?')
    for (const page of [first, second, asking]) await present(page, 3)
    await led(asking, await idOf(first))
    return [first, second, asking, await idOf(second)]
  }

  for (const [what, end] of [
    ['closes', (page: Page) => page.close()],
    ['navigates away', (page: Page) => page.goto('about:blank').then(() => undefined)],
    [
      'crashes',
      async (page: Page) => {
        const crashed = page.waitForEvent('crash')
        const session = await context.newCDPSession(page)
        // Its answer never comes: the page is gone.
        session.send('Page.crash').catch(() => undefined)
        await crashed
      },
    ],
  ] as const)
    test(`${what}, another leads within a second and answers what was unanswered, once`, async () => {
      const [first, second, asking, id] = await threeTabs()
      await holdBack(first)
      await ask(asking, 20)
      // The even ones have been answered, so the odd ones are with the first.
      await asking.evaluate(() => Promise.all(window.testTab.answers.filter((_, n) => n % 2 === 0)))
      const taken = timeUntilLedBy(asking, id)
      const start = performance.now()
      await end(first)
      const endedMs = performance.now() - start
      expect((await taken) - endedMs).toBeLessThan(TAKEOVER_MS)
      const by = await answers(asking)
      expect(by.filter((_, n) => n % 2 === 1)).toEqual(Array.from({ length: 10 }, () => id))
      expect(await runs(second)).toEqual(Array.from({ length: 10 }, () => 1))
      await present(asking, 2)
    })

  // Headless pages are always visible, and Chromium freezes hidden ones only: the event stands for the browser's.
  test('is about to freeze, it hands over office and running requests, and stands again once resumed', async () => {
    const [first, second, asking, id] = await threeTabs()
    await holdBack(first)
    await ask(asking, 2)
    await asking.evaluate(() => window.testTab.answers[0])
    await first.evaluate(() => void document.dispatchEvent(new Event('freeze')))
    expect((await answers(asking))[1]).toBe(id)
    const candidates = (count: number) =>
      asking.waitForFunction((n) => window.testTab.present.filter(({ candidate }) => candidate).length === n, count)
    await candidates(1)
    await first.evaluate(() => void document.dispatchEvent(new Event('resume')))
    await candidates(2)
    await second.close()
    await led(asking, await idOf(first))
  })

  test('is blocked, a request is answered by another within a second, and it steps down after', async () => {
    const [first, , asking, id] = await threeTabs()
    // A thread that is blocked holds its locks and hears no event.
    const blocked = first.evaluate(() => {
      for (const end = Date.now() + 4_000; Date.now() < end;);
    })
    const taken = await asking.evaluate(async () => {
      const start = performance.now()
      window.testTab.answers.push(window.testTab.tabs.request('work', 0))
      await window.testTab.answers[0]
      return performance.now() - start
    })
    expect(taken).toBeLessThan(TAKEOVER_MS)
    expect(await answers(asking)).toEqual([id])
    await blocked
    await led(first, id)
    expect(await first.evaluate(() => window.testTab.tabs.isLeader)).toBe(false)
  })
})

test('200 requests in flight while leaders close one after another: each answered, none twice by one tab', async () => {
  const leaders: Page[] = []
  for (let n = 0; n < 4; n++) leaders.push(await open())
  const asking = await open('?')
  await present(asking, 5)
  for (const leader of leaders.slice(0, -1)) await holdBack(leader)
  const counts: number[] = []
  for (const leader of leaders.slice(0, -1)) {
    await led(asking, await idOf(leader))
    await ask(asking, 67)
    await leader.waitForFunction(() => Object.keys(window.testTab.runs).length >= 67)
    counts.push(...(await runs(leader)))
    await leader.close()
  }
  const by = await answers(asking)
  expect(by.length).toBeGreaterThan(200)
  const last = leaders.at(-1)
  if (!last) throw new Error('There is no last leader.')
  counts.push(...(await runs(last)))
  expect(new Set(counts)).toEqual(new Set([1]))
  expect(by.filter((_, n) => n % 2 === 1).every((id) => id === by[1])).toBe(true)
})

test('a visible candidate takes over from a hidden leader after the term, not before', async () => {
  const first = await open('?stand&term=1500')
  const second = await open('?stand&term=1500')
  const [a, b] = [await idOf(first), await idOf(second)]
  await led(second, a)
  await present(first, 2)
  const since = Date.now()
  // Headless pages are always visible.
  await first.evaluate(() => {
    Object.defineProperty(document, 'visibilityState', { get: () => 'hidden' })
    document.dispatchEvent(new Event('visibilitychange'))
  })
  await second.waitForFunction((id) => window.testTab.present.some((tab) => tab.id === id && !tab.visible), a)
  expect(await second.evaluate(() => window.testTab.leader)).toBe(a)
  await led(second, b)
  expect(Date.now() - since).toBeLessThan(TAKEOVER_MS + 2_000)
  await led(first, b)
  expect(await first.evaluate(() => window.testTab.tabs.isLeader)).toBe(false)
})
