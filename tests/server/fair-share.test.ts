import { setImmediate } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { inOneStep, type Steps } from '../../src/changes/index.ts'
import { FairShare, type Lane } from '../../src/server/fair-share.ts'

/** A share on a clock of its own; what was done is in `done`, in its order. */
function shared(): {
  readonly done: string[]
  readonly lane: (owner: string) => Lane
  /** Brings a piece of work that takes so long, in milliseconds. */
  readonly bring: (lane: Lane, name: string, tookMs: number) => void
  readonly all: () => Promise<void>
  readonly share: FairShare
  readonly wait: (ms: number) => void
} {
  let time = 10_000
  let brought = 0
  const done: string[] = []
  const share = new FairShare(() => time)
  return {
    done,
    share,
    wait: (ms) => {
      time += ms
    },
    lane: (owner) => share.lane(() => owner),
    bring: (lane, name, tookMs) => {
      const work = inOneStep(() => {
        done.push(name)
        time += tookMs
      })
      brought++
      if (!lane.tryNow(work)) lane.push(work)
    },
    all: async () => {
      while (done.length < brought) await setImmediate()
    },
  }
}

describe('the time for what comes in', () => {
  test('is given as it comes while there is time for all', () => {
    const { done, lane, bring } = shared()
    const [a, b] = [lane('a'), lane('b')]
    for (let n = 0; n < 10; n++) bring(n % 2 === 0 ? a : b, `${n}`, 0.1)
    expect(done).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'])
  })

  test('goes to who asks for little, however much the others have waiting', async () => {
    const { done, lane, bring, all } = shared()
    const many = Array.from({ length: 10 }, (_, n) => lane(`hog ${n}`))
    for (let round = 0; round < 5; round++) for (const hog of many) bring(hog, 'much', 50)
    // Everyone has had something once.
    while (done.length < 15) await setImmediate()
    const before = done.length
    bring(lane('little'), 'little', 0.1)
    await all()
    expect(done.indexOf('little') - before).toBeLessThanOrEqual(1)
  })

  test('counts for all connections of one owner together', async () => {
    const { done, lane, bring, all } = shared()
    bring(lane('first'), 'first', 10)
    for (let n = 0; n < 20; n++) bring(lane('hog'), 'much', 10)
    for (let n = 0; n < 5; n++) bring(lane('other'), 'other', 10)
    await all()
    // Five of each, by turns; what is left of the one comes then.
    expect(done.lastIndexOf('other')).toBeLessThanOrEqual(11)
    expect(done).toHaveLength(26)
  })

  test('comes to everyone, however many ask for little', async () => {
    const { done, lane, bring, all } = shared()
    const hog = lane('hog')
    for (let n = 0; n < 3; n++) bring(hog, 'hog', 50)
    const many = Array.from({ length: 100 }, (_, n) => lane(`${n}`))
    for (let round = 0; round < 50; round++) for (const one of many) bring(one, 'little', 1)
    await all()
    expect(done.lastIndexOf('hog')).toBeLessThan(done.length - 1_000)
  })

  test('is forgotten', async () => {
    const { lane, bring, all, share, wait } = shared()
    for (let n = 0; n < 100; n++) bring(lane(`${n}`), 'once', 1)
    await all()
    expect(share.size).toBe(100)
    wait(60_000)
    bring(lane('newcomer'), 'once', 1)
    await all()
    await setImmediate()
    expect(share.size).toBe(1)
  })

  test('is given to the pieces of one connection in their order, whatever becomes of one', async () => {
    const share = new FairShare()
    const lane = share.lane(() => 'a')
    const done: number[] = []
    const broken = inOneStep(() => {
      throw new Error('broken')
    })
    expect(() => lane.tryNow(broken)).toThrow('broken')
    const push = (n: number): Steps<void> => inOneStep(() => void done.push(n))
    for (let n = 0; n < 5; n++) lane.push(push(n))
    expect(lane.tryNow(push(5))).toBe(false)
    expect(lane).toHaveLength(5)
    while (lane.length > 0) await setImmediate()
    expect(done).toEqual([0, 1, 2, 3, 4])
    expect(lane.tryNow(push(5))).toBe(true)
  })
  test('is given to what takes long in parts, between which the others have theirs', async () => {
    const { done, lane, bring, all, wait, share } = shared()
    const reading = share.lane(() => 'large')
    let isRead = false
    const read = function* (): Steps<void> {
      for (let part = 0; part < 40; part++) {
        wait(4)
        yield
      }
      isRead = true
    }
    reading.push(read())
    await setImmediate()
    bring(lane('small'), 'small', 0.1)
    await all()
    expect(isRead).toBe(false)
    expect(reading.tryNow(read())).toBe(false)
    while (reading.length > 0) await setImmediate()
    expect(isRead).toBe(true)
    expect(done).toEqual(['small'])
  })
})
