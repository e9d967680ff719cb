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

test('what is committed on either side during a first copy is in both in the end, also where the connection is cut', async () => {
  const { url, proxy } = await openLink()
  const near = await openClient(url)
  near.cards.insert(Array.from({ length: 12_000 }, (_, n) => ({ id: `card ${n}`, title: 'a title' })))
  await settled(near.store)
  const far = await openClient(proxy.url)
  let told = 0
  far.store.changes$.subscribe(({ origin, changes }) => {
    if (origin !== 'remote') return
    const before = told
    told += changes.length
    if (before === 0) near.cards.update('card 11999', { title: 'changed before it comes' })
    if (before === 0) near.cards.update('card 3', { title: 'changed after it has come' })
    if (before < 3_000 && told >= 3_000) far.cards.insert({ id: 'of the other', title: 'while it arrives' })
    if (before < 6_000 && told >= 6_000) proxy.drop()
  })
  await settled(far.store)
  await settled(near.store)
  await expect.poll(() => far.cards.find()).toEqual(near.cards.find())
  expect(far.cards.count()).toBe(12_001)
  expect(far.cards.get('card 3')?.title).toBe('changed after it has come')
})
