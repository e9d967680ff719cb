import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FairQueue } from '../../src/server/fair-queue.ts'

test('what is little goes as it came, whoever it is from', () => {
  const queue = new FairQueue<string>()
  for (const item of ['a1', 'a2', 'b1', 'a3', 'c1']) queue.push(item[0], 1, item)
  expect(queue.take(4, 100)).toEqual(['a1', 'a2', 'b1', 'a3'])
  expect(queue.length).toBe(1)
  expect(queue.clear()).toEqual(['c1'])
})

test('who has had much time waits for those who have had little, alone', () => {
  let now = 0
  const queue = new FairQueue<string>(() => now)
  for (const item of ['a1', 'a2', 'a3']) queue.push('a', 2_000, item)
  queue.push('b', 1, 'b1')
  expect(queue.take(10, 1_000)).toEqual(['a1'])
  queue.spent('a', 150)
  now += 150
  queue.push('c', 1, 'c1')
  expect(queue.take(10, 5_000)).toEqual(['b1', 'c1'])
  expect(queue.take(1, 1_000)).toEqual(['a2'])
  queue.push('b', 1, 'b2')
  // What is long past counts no more.
  now += 10_000
  expect(queue.take(10, 5_000)).toEqual(['a3', 'b2'])
})

test('where all have had much, who has had least goes first', () => {
  const queue = new FairQueue<string>(() => 0)
  queue.spent('a', 400)
  queue.spent('b', 300)
  for (const item of ['a1', 'b1', 'a2', 'b2']) queue.push(item[0], 1, item)
  expect(queue.take(10, 100)).toEqual(['b1', 'b2'])
  expect(queue.clear()).toEqual(['a1', 'a2'])
})

test('everything is taken once, and those of one owner in their order', () => {
  const step = fc.oneof(
    fc.record({ owner: fc.constantFrom('a', 'b', 'c'), cost: fc.nat(500) }),
    fc.record({ count: fc.nat(5), most: fc.nat(800) }),
    fc.record({ spender: fc.constantFrom('a', 'b', 'c'), ms: fc.nat(200) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const queue = new FairQueue<readonly [string, number]>()
      const taken: (readonly [string, number])[] = []
      let pushed = 0
      for (const one of steps)
        if ('owner' in one) queue.push(one.owner, one.cost, [one.owner, pushed++])
        else if ('ms' in one) queue.spent(one.spender, one.ms)
        else taken.push(...queue.take(one.count, one.most))
      taken.push(...queue.clear())
      expect(taken.map(([, n]) => n).toSorted((a, b) => a - b)).toEqual(Array.from({ length: pushed }, (_, n) => n))
      for (const owner of ['a', 'b', 'c']) {
        const own = taken.filter(([of]) => of === owner).map(([, n]) => n)
        expect(own).toEqual(own.toSorted((a, b) => a - b))
      }
      expect(queue.length).toBe(0)
    }),
  )
})
