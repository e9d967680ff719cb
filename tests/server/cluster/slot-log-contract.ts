import { randomBytes } from 'node:crypto'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { SlotLog } from '../../../src/server/cluster/index.ts'

/** An empty log, as two servers see it. */
export interface SlotLogHarness {
  readonly logs: readonly [SlotLog, SlotLog]
  /** Resolves as what is asked of the logs does. */
  done<Result>(asked: Promise<Result>): Promise<Result>
  dispose(): Promise<void>
}

/** What every implementation of `SlotLog` keeps. */
export function runSlotLogContract(name: string, make: () => Promise<SlotLogHarness>): void {
  async function prepare(): Promise<SlotLogHarness> {
    const harness = await make()
    onTestFinished(() => harness.dispose())
    return harness
  }

  describe(`the contract of slots on ${name}`, () => {
    test('a slot is written once, by exactly one of those who try at once', async () => {
      const { logs, done } = await prepare()
      const tries = [...logs, ...logs].map((log) => ({ log, bytes: randomBytes(8) }))
      const told = await done(Promise.all(tries.map(({ log, bytes }) => log.put(7, bytes))))
      expect(told.filter(Boolean)).toHaveLength(1)
      for (const log of logs) {
        const there = await done(log.get(7))
        expect(there && Buffer.from(there)).toEqual(tries[told.indexOf(true)]!.bytes)
      }
    })

    test('who writes the same bytes again is told that they are there', async () => {
      const { logs, done } = await prepare()
      const bytes = randomBytes(8)
      expect(await done(logs[0].put(1, bytes))).toBe(true)
      expect(await done(logs[0].put(1, bytes))).toBe(true)
      expect(await done(logs[1].put(1, randomBytes(8)))).toBe(false)
    })

    test('the slots behind one are listed in the order of their numbers, gaps and all', async () => {
      const { logs, done } = await prepare()
      for (const slot of [9, 10, 100, 2, 1]) await done(logs[0].put(slot, randomBytes(4)))
      expect(await done(logs[1].slots(0))).toEqual([1, 2, 9, 10, 100])
      expect(await done(logs[1].slots(9))).toEqual([10, 100])
      expect(await done(logs[1].slots(100))).toEqual([])
    })

    test('what was deleted is not there, and may be written again', async () => {
      const { logs, done } = await prepare()
      for (const slot of [1, 2, 3]) await done(logs[0].put(slot, randomBytes(4)))
      await done(logs[0].delete([1, 3, 5]))
      await done(logs[0].delete([]))
      expect(await done(logs[1].slots(0))).toEqual([2])
      expect(await done(logs[1].get(1))).toBeUndefined()
      expect(await done(logs[1].put(3, randomBytes(4)))).toBe(true)
    })

    test('one who waits no longer is told what its signal says', async () => {
      const { logs, done } = await prepare()
      const signal = AbortSignal.abort(new Error('enough'))
      await expect(done(logs[0].put(1, randomBytes(4), { signal }))).rejects.toThrow('enough')
      await expect(done(logs[0].slots(0, { signal }))).rejects.toThrow('enough')
    })
  })
}
