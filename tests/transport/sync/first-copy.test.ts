import { expect, test } from 'vitest'
import { openClient, openLink, settled } from '../link/support.ts'

/** Rows that are shown at once, and those of one message more. */
const MOST_AT_ONCE = 1_000 + 400

test('a first copy shows a few rows at a time, however long those take who are told', async () => {
  const { url } = await openLink()
  const near = await openClient(url)
  near.cards.insert(Array.from({ length: 12_000 }, (_, n) => ({ id: `card ${n}`, title: 'a title' })))
  await settled(near.store)
  const far = await openClient(url)
  const told: number[] = []
  far.store.changes$.subscribe(({ changes }) => {
    told.push(changes.length)
    const until = performance.now() + 60
    while (performance.now() < until);
  })
  await settled(far.store)
  expect(far.cards.count()).toBe(12_000)
  expect(told.reduce((sum, count) => sum + count, 0)).toBe(12_000)
  expect(Math.max(...told)).toBeLessThan(MOST_AT_ONCE)
})
