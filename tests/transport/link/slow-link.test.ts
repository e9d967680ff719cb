import type { SyncStatus } from 'rowcast'
import { describe, expect, test } from 'vitest'
import type { ThrottledProxy, Way } from '../../support/throttled-proxy.ts'
import { KINDS, letters, openClient, openLink, settled } from './support.ts'

const LARGE = 300_000
const RATE = 200_000
/** What a hello, a welcome, HTTP headers and acknowledgements take on all connections of a test, in bytes. */
const BESIDE = 30_000

/** How a link is while something large goes over it. */
const LINKS = [
  ['that holds', {}, 0],
  ['that is cut twice', {}, 2],
  ['of 500 ms that is cut twice', { delayMs: 500 }, 2],
] as const

/** Cuts a link where a third and two thirds of what is large are through. */
function cutAlong(proxy: ThrottledProxy, way: Way, times: number, bytes = LARGE): void {
  const through = proxy.bytes[way]
  proxy.dropAt(way, ...Array.from({ length: times }, (_, n) => through + (bytes * (n + 1)) / (times + 1)))
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
  describe.each(LINKS)('a slow link %s', (_what, link, cuts) => {
    test('brings a large row, and what comes behind it', async ({ expect, onTestFinished }) => {
      const { proxy, url } = await openLink({ ...link, down: RATE }, onTestFinished)
      const [near, far] = [
        await openClient(url, undefined, onTestFinished),
        await openClient(proxy.url, kind, onTestFinished),
      ]
      await settled(far.store)
      cutAlong(proxy, 'down', cuts)
      const before = far.history.length
      const { down } = proxy.bytes
      near.cards.insert({ id: 'large', title: letters(LARGE) })
      near.cards.insert({ id: 'small' })
      await expect.poll(() => far.cards.has('small')).toBe(true)
      expect(far.cards.get('large')?.title?.length).toBe(LARGE)
      await settled(far.store)
      expect(proxy.bytes.down - down).toBeLessThan(LARGE * 1.5 + BESIDE)
      const seen = far.history.slice(before)
      expectMonotone(seen)
      // Nothing is `live` between the first that says how far it is and the last.
      const [first, last] = [seen.findIndex((one) => one.progress), seen.findLastIndex((one) => one.progress)]
      expect(seen.slice(first, last + 1).map(({ state }) => state)).not.toContain('live')
    })

    test('takes a large transaction, and what comes behind it', async ({ expect, onTestFinished }) => {
      const { proxy, url } = await openLink({ ...link, up: RATE }, onTestFinished)
      const [near, far] = [
        await openClient(url, undefined, onTestFinished),
        await openClient(proxy.url, kind, onTestFinished),
      ]
      await settled(far.store)
      cutAlong(proxy, 'up', cuts)
      const before = far.history.length
      const { up } = proxy.bytes
      far.cards.insert({ id: 'large', title: letters(LARGE) })
      await expect.poll(() => far.history.at(-1)!.progress !== undefined).toBe(true)
      far.cards.insert({ id: 'small' })
      await expect.poll(() => near.cards.has('small')).toBe(true)
      expect(near.cards.get('large')?.title?.length).toBe(LARGE)
      await settled(far.store)
      expect(far.history.at(-1)!.pending).toBe(0)
      expect(proxy.bytes.up - up).toBeLessThan(LARGE * 1.5 + BESIDE)
      expectMonotone(far.history.slice(before))
    })

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
      cutAlong(proxy, 'down', cuts)
      const before = far.history.length
      const { down } = proxy.bytes
      proxy.restore()
      await expect.poll(() => far.cards.find().length).toBe(20)
      await settled(far.store)
      near.cards.insert({ id: 'behind' })
      await expect.poll(() => far.cards.has('behind')).toBe(true)
      expect(proxy.bytes.down - down).toBeLessThan(LARGE * 1.5 + BESIDE)
      const seen = far.history.slice(before)
      expectMonotone(seen)
      const live = seen.findIndex(({ state }) => state === 'live')
      expect(seen.findLastIndex((one) => one.progress)).toBeLessThan(live)
    })

    test('brings a first copy', async ({ expect, onTestFinished }) => {
      const { proxy, url } = await openLink({ ...link, down: RATE }, onTestFinished)
      const near = await openClient(url, undefined, onTestFinished)
      near.store.transaction(() => {
        for (let n = 0; n < 2_000; n++) near.cards.insert({ id: `card ${n}`, title: letters(LARGE / 2_000 - 50) })
      })
      await settled(near.store)
      cutAlong(proxy, 'down', cuts)
      const far = await openClient(proxy.url, kind, onTestFinished)
      await settled(far.store)
      expect(far.cards.find().length).toBe(2_000)
      expect(proxy.bytes.down).toBeLessThan(LARGE * 1.5 + BESIDE)
      near.cards.insert({ id: 'behind' })
      await expect.poll(() => far.cards.has('behind')).toBe(true)
      expectMonotone(far.history)
      const live = far.history.findIndex(({ state }) => state === 'live')
      expect(far.history.findLastIndex((one) => one.progress)).toBeLessThan(live)
    })
  })
})
