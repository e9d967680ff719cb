import type { SyncStatus } from 'rowcast'
import { describe, expect, test } from 'vitest'
import { firstSeed, Random } from '../../support/random.ts'
import type { AtAcknowledgement, ThrottledProxy, Way } from '../../support/throttled-proxy.ts'
import { KINDS, letters, openClient, openLink, settled } from './support.ts'

const LARGE = 300_000
const RATE = 200_000
/** What may pass, whatever breaks on the way, beside what the rows take as JSON. */
const MOST = 1.5

/** How a link is while something large goes over it. */
const LINKS = [
  ['that holds', {}, 0],
  ['that is cut twice', {}, 2],
  ['of 500 ms that is cut twice', { delayMs: 500 }, 2],
] as const

/** Where links break, as parts of what is large: each test draws its own. */
const places = new Random(firstSeed)

/** Two places, in their order. */
function drawPlaces(): number[] {
  return [places.int(1_000) / 1_000, places.int(1_000) / 1_000].toSorted((a, b) => a - b)
}

/** Cuts a link at the first so many of these places. */
function cutAlong(proxy: ThrottledProxy, way: Way, parts: readonly number[]): void {
  proxy.dropAt(way, ...parts.map((part) => proxy.bytes[way] + LARGE * part))
}

/** What passes from now on, to be compared with rows that take it. */
function countedFrom(proxy: ThrottledProxy, way: Way, before: number = proxy.bytes[way]) {
  return (rows: readonly object[]) => (proxy.bytes[way] - before) / JSON.stringify(rows).length
}

/** Progress of one kind never goes back, and never beyond what there is. */
function expectMonotone(history: readonly SyncStatus[]): void {
  const done = history.flatMap(({ progress }) => (progress ? [progress] : []))
  expect(done.length).toBeGreaterThan(2)
  for (const [n, { done: bytes, total = Infinity }] of done.entries()) {
    expect(bytes).toBeLessThanOrEqual(total)
    if (n > 0) expect(bytes).toBeGreaterThanOrEqual(done[n - 1]!.done)
  }
}

describe.concurrent.each(KINDS)('over %s', (kind) => {
  describe.each(LINKS)(`a slow link %s (ROWCAST_SEED=${firstSeed})`, (_what, link, cuts) => {
    const inRow = drawPlaces().slice(0, cuts)
    test('brings a large row, and what comes behind it', async ({ expect, onTestFinished }) => {
      const { proxy, url } = await openLink({ ...link, down: RATE }, onTestFinished)
      const [near, far] = [
        await openClient(url, undefined, onTestFinished),
        await openClient(proxy.url, kind, onTestFinished),
      ]
      await settled(far.store)
      cutAlong(proxy, 'down', inRow)
      const before = far.history.length
      const passed = countedFrom(proxy, 'down')
      near.cards.insert({ id: 'large', title: letters(LARGE) })
      near.cards.insert({ id: 'small' })
      await expect.poll(() => far.cards.has('small')).toBe(true)
      expect(far.cards.get('large')?.title?.length).toBe(LARGE)
      await settled(far.store)
      expect(passed(far.cards.find())).toBeLessThan(MOST)
      const seen = far.history.slice(before)
      expectMonotone(seen)
      // Nothing is `live` between the first that says how far it is and the last.
      const [first, last] = [seen.findIndex((one) => one.progress), seen.findLastIndex((one) => one.progress)]
      expect(seen.slice(first, last + 1).map(({ state }) => state)).not.toContain('live')
    })

    const inTransaction = drawPlaces().slice(0, cuts)
    test('takes a large transaction, and what comes behind it', async ({ expect, onTestFinished }) => {
      const { proxy, url } = await openLink({ ...link, up: RATE }, onTestFinished)
      const [near, far] = [
        await openClient(url, undefined, onTestFinished),
        await openClient(proxy.url, kind, onTestFinished),
      ]
      await settled(far.store)
      cutAlong(proxy, 'up', inTransaction)
      const before = far.history.length
      const passed = countedFrom(proxy, 'up')
      far.cards.insert({ id: 'large', title: letters(LARGE) })
      await expect.poll(() => far.history.at(-1)!.progress !== undefined).toBe(true)
      far.cards.insert({ id: 'small' })
      await expect.poll(() => near.cards.has('small')).toBe(true)
      expect(near.cards.get('large')?.title?.length).toBe(LARGE)
      await settled(far.store)
      expect(far.history.at(-1)!.pending).toBe(0)
      expect(passed(far.cards.find())).toBeLessThan(MOST)
      expectMonotone(far.history.slice(before))
    })

    const inMissed = drawPlaces().slice(0, cuts)
    test('brings what was missed while it was away', async ({ expect, onTestFinished }) => {
      const { proxy, url } = await openLink({ ...link, down: RATE }, onTestFinished)
      const [near, far] = [
        await openClient(url, undefined, onTestFinished),
        await openClient(proxy.url, kind, onTestFinished),
      ]
      await settled(far.store)
      proxy.cut()
      await expect.poll(() => far.history.at(-1)!.state).toBe('offline')
      for (let n = 0; n < 20; n++) near.cards.insert({ id: `card ${n}`, title: letters(LARGE / 20) })
      await settled(near.store)
      cutAlong(proxy, 'down', inMissed)
      const before = far.history.length
      const passed = countedFrom(proxy, 'down')
      proxy.restore()
      await expect.poll(() => far.cards.find().length).toBe(20)
      await settled(far.store)
      near.cards.insert({ id: 'behind' })
      await expect.poll(() => far.cards.has('behind')).toBe(true)
      expect(passed(far.cards.find())).toBeLessThan(MOST)
      const seen = far.history.slice(before)
      expectMonotone(seen)
      const live = seen.findIndex(({ state }) => state === 'live')
      expect(seen.findLastIndex((one) => one.progress)).toBeLessThan(live)
    })

    const inCopy = drawPlaces().slice(0, cuts)
    test('brings a first copy', async ({ expect, onTestFinished }) => {
      const { proxy, url } = await openLink({ ...link, down: RATE }, onTestFinished)
      const near = await openClient(url, undefined, onTestFinished)
      near.store.transaction(() => {
        for (let n = 0; n < 2_000; n++) near.cards.insert({ id: `card ${n}`, title: letters(LARGE / 2_000 - 50) })
      })
      await settled(near.store)
      cutAlong(proxy, 'down', inCopy)
      const passed = countedFrom(proxy, 'down')
      const far = await openClient(proxy.url, kind, onTestFinished)
      await settled(far.store)
      expect(far.cards.find().length).toBe(2_000)
      expect(passed(far.cards.find())).toBeLessThan(MOST)
      near.cards.insert({ id: 'behind' })
      await expect.poll(() => far.cards.has('behind')).toBe(true)
      expectMonotone(far.history)
      const live = far.history.findIndex(({ state }) => state === 'live')
      expect(far.history.findLastIndex((one) => one.progress)).toBeLessThan(live)
    })
  })
})

/** Of the pieces of `LARGE`: of the first, of every fourth, and of the last. */
const ACKNOWLEDGEMENTS = [0, 1, 2, 3, 4, 5]

describe.each(KINDS)('over %s, a link that is cut', (kind) => {
  describe.each<AtAcknowledgement>(['before', 'within', 'after'])('%s an acknowledgement', (where) => {
    test.each(ACKNOWLEDGEMENTS)('that goes up, behind %i others, brings a large row', async (skip) => {
      const { proxy, near, far } = await openBoth(kind, { down: RATE * 4 })
      const passed = countedFrom(proxy, 'down')
      proxy.dropAtAcknowledgements('up', { where, skip })
      near.cards.insert({ id: 'large', title: letters(LARGE) })
      await expect.poll(() => far.cards.get('large')?.title?.length).toBe(LARGE)
      await expect.poll(() => far.history.at(-1)?.state).toBe('live')
      expect(proxy.cutsLeft).toBe(0)
      expect(passed(far.cards.find())).toBeLessThan(MOST)
    })

    test.each(ACKNOWLEDGEMENTS)('that goes down, behind %i others, takes a large transaction once', async (skip) => {
      const { proxy, near, far } = await openBoth(kind, { up: RATE * 4 })
      const passed = countedFrom(proxy, 'up')
      proxy.dropAtAcknowledgements('down', { where, skip })
      far.cards.insert({ id: 'large', title: letters(LARGE) })
      await settled(far.store)
      await expect.poll(() => near.cards.get('large')?.title?.length).toBe(LARGE)
      far.cards.set('large', 'title', 'short')
      await expect.poll(() => near.cards.get('large')?.title).toBe('short')
      expect(proxy.cutsLeft).toBe(0)
      expect(passed([{ id: 'large', title: letters(LARGE) }])).toBeLessThan(MOST)
    })
  })
})

/** A store beside the server, and one behind a slow link, both in step. */
async function openBoth(kind: (typeof KINDS)[number], link: Parameters<typeof openLink>[0]) {
  const { proxy, url } = await openLink(link)
  const [near, far] = [await openClient(url), await openClient(proxy.url, kind)]
  await settled(far.store)
  return { proxy, near, far }
}
