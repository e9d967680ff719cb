import { randomBytes } from 'node:crypto'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { SlotLog } from '../../../src/server/cluster/index.ts'

/** An empty log, as two servers see it. */
export interface SlotLogHarness {
  readonly logs: readonly [SlotLog, SlotLog]
  /** Whether a slot whose record was deleted may be written again, and one that is not the next. */
  readonly reopens: boolean
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
      const told = await done(Promise.all(tries.map(({ log, bytes }) => log.put(1, bytes))))
      expect(told.filter(Boolean)).toHaveLength(1)
      for (const log of logs) {
        const there = await done(log.get(1))
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

    test('the slots behind one are listed in order', async () => {
      const { logs, done } = await prepare()
      for (let slot = 1; slot <= 11; slot++) await done(logs[slot % 2]!.put(slot, randomBytes(4)))
      await expect.poll(() => done(logs[1].slots(0))).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
      await expect.poll(() => done(logs[1].slots(9))).toEqual([10, 11])
      expect(await done(logs[1].slots(11))).toEqual([])
    })

    test('the records before a slot are gone after a trim, but for those that are kept where a slot is written again', async () => {
      const { logs, done, reopens } = await prepare()
      const records = Array.from({ length: 5 }, () => randomBytes(4))
      for (const [n, bytes] of records.entries()) await done(logs[0].put(n + 1, bytes))
      await done(logs[0].trim(4, (bytes, slot) => slot === 2 && Buffer.compare(bytes, records[1]!) === 0))
      await done(logs[0].trim(1, () => false))
      const kept = reopens ? [2] : []
      await expect.poll(() => done(logs[1].slots(0))).toEqual([...kept, 4, 5])
      expect(await done(logs[1].get(1))).toBeUndefined()
      expect(await done(logs[1].put(3, randomBytes(4)))).toBe(reopens)
    })

    test('a claim comes in, whoever goes on writing', async () => {
      const { logs, done } = await prepare()
      await done(logs[0].put(1, randomBytes(4)))
      const claim = randomBytes(8)
      const isIn = async (): Promise<boolean> => {
        const slots = await done(logs[0].slots(0))
        const records = await Promise.all(slots.map((slot) => done(logs[0].get(slot))))
        return records.some((bytes) => bytes && Buffer.compare(bytes, claim) === 0)
      }
      let last = 1
      for (let attempt = 0; !(await isIn()); attempt++) {
        const next = last + 1
        await done(logs[0].put(++last, randomBytes(4)))
        await done(logs[1].claim({ next, claim, filler: () => randomBytes(4), attempt }))
        await done(logs[0].put(++last, randomBytes(4)))
        expect(attempt).toBeLessThan(4)
      }
    })

    test('one who waits no longer is told what its signal says', async () => {
      const { logs, done } = await prepare()
      const signal = AbortSignal.abort(new Error('enough'))
      await expect(done(logs[0].put(1, randomBytes(4), { signal }))).rejects.toThrow('enough')
      await expect(done(logs[0].slots(0, { signal }))).rejects.toThrow('enough')
    })
  })
}
