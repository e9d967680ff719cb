import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { SnapshotStorage } from '../../../src/server/snapshot-storage.ts'

/** One place for snapshots, empty at first. */
export interface SnapshotStorageHarness {
  /** Opens the place, again each time: what a process that starts there sees. */
  storage(): SnapshotStorage
  /** Leaves a snapshot as a crash in the middle of `put` can. Without it there are no torn ones. */
  readonly tear?: (database: string, sequence: number) => Promise<void>
  /** Frees the place. */
  dispose(): Promise<void>
}

/** What every implementation of `SnapshotStorage` keeps. */
export function runSnapshotStorageContract(name: string, make: () => Promise<SnapshotStorageHarness>): void {
  describe(`the snapshot storage contract on ${name}`, () => {
    let harness: SnapshotStorageHarness
    let storage: SnapshotStorage

    beforeEach(async () => {
      harness = await make()
      storage = harness.storage()
    })
    afterEach(() => harness.dispose())

    test('where nothing was put, nothing is there', async () => {
      expect(await storage.list('plan')).toEqual([])
      expect(await storage.get('plan', 1)).toBeUndefined()
      await storage.delete('plan', 1)
      await storage.delete('plan')
    })

    test('a snapshot is given back as it was put, also to who opens the place later', async () => {
      await storage.put('plan', { sequence: 7, label: 'before the review', at: 1_700_000_000_123 }, bytes(5_000, 1))
      for (const opened of [storage, harness.storage()]) {
        expect(await opened.get('plan', 7)).toEqual(bytes(5_000, 1))
        expect(await opened.list('plan')).toEqual([
          { sequence: 7, label: 'before the review', at: 1_700_000_000_123, size: 5_000 },
        ])
      }
    })

    test('a snapshot without bytes and one of megabytes are kept', async () => {
      await storage.put('plan', { sequence: 0, at: 1 }, new Uint8Array())
      await storage.put('plan', { sequence: 1, at: 2 }, bytes(3_000_000, 9))
      expect(await storage.get('plan', 0)).toEqual(new Uint8Array())
      expect(await storage.get('plan', 1)).toEqual(bytes(3_000_000, 9))
      expect((await storage.list('plan')).map(({ size }) => size)).toEqual([0, 3_000_000])
    })

    test('snapshots are listed by their sequence number, oldest first', async () => {
      for (const sequence of [10, 9, 2 ** 53 - 1, 100, 0, 1])
        await storage.put('plan', { sequence, at: 1 }, bytes(1, 1))
      expect((await storage.list('plan')).map(({ sequence }) => sequence)).toEqual([0, 1, 9, 10, 100, 2 ** 53 - 1])
    })

    test('a snapshot without a label has none', async () => {
      await storage.put('plan', { sequence: 1, at: 1 }, bytes(1, 1))
      await storage.put('plan', { sequence: 2, label: undefined, at: 1 }, bytes(1, 1))
      for (const info of await storage.list('plan'))
        expect(Object.keys(info).toSorted()).toEqual(['at', 'sequence', 'size'])
    })

    test('a label is any text', async () => {
      const labels = [
        '',
        '.',
        '../../x',
        'a/b\\c',
        'a\0b',
        '\ud800',
        '😀é',
        ' ',
        '"\n',
        '__proto__',
        'x'.repeat(10_000),
      ]
      for (const [sequence, label] of labels.entries())
        await storage.put('plan', { sequence, label, at: 1 }, bytes(1, 1))
      expect((await harness.storage().list('plan')).map(({ label }) => label)).toEqual(labels)
    })

    test('a snapshot replaces the one of its number with all that belongs to it', async () => {
      await storage.put('plan', { sequence: 1, label: 'old', at: 1 }, bytes(10, 1))
      await storage.put('plan', { sequence: 1, at: 2 }, bytes(4, 2))
      expect(await storage.list('plan')).toEqual([{ sequence: 1, at: 2, size: 4 }])
      expect(await storage.get('plan', 1)).toEqual(bytes(4, 2))
    })

    test('bytes that are changed after put or get change no snapshot', async () => {
      const given = new Uint8Array(new ArrayBuffer(100), 10, 20).fill(5)
      await storage.put('plan', { sequence: 1, at: 1 }, given)
      given.fill(6)
      const got = await storage.get('plan', 1)
      expect(got).toEqual(new Uint8Array(20).fill(5))
      got?.fill(7)
      expect(await storage.get('plan', 1)).toEqual(new Uint8Array(20).fill(5))
    })

    test('databases do not know each other', async () => {
      await storage.put('a', { sequence: 1, at: 1 }, bytes(1, 1))
      await storage.put('a.b', { sequence: 1, at: 1 }, bytes(2, 2))
      await storage.delete('a')
      expect(await storage.list('a')).toEqual([])
      expect(await storage.get('a.b', 1)).toEqual(bytes(2, 2))
    })

    test('one snapshot is deleted, or all of a database', async () => {
      for (const sequence of [1, 2, 10, 11]) await storage.put('plan', { sequence, at: 1 }, bytes(sequence, 1))
      await storage.delete('plan', 1)
      await storage.delete('plan', 1)
      expect((await storage.list('plan')).map(({ sequence }) => sequence)).toEqual([2, 10, 11])
      expect(await storage.get('plan', 1)).toBeUndefined()
      await storage.delete('plan')
      expect(await storage.list('plan')).toEqual([])
      expect(await storage.get('plan', 10)).toBeUndefined()
      await storage.put('plan', { sequence: 1, at: 3 }, bytes(3, 3))
      expect(await storage.list('plan')).toEqual([{ sequence: 1, at: 3, size: 3 }])
    })

    test('a name that could lead elsewhere is refused, and so is a number that is none', async () => {
      for (const name of ['', '.', '..', '.a', 'a/b', '../a', 'a\\b', 'a\0', 'x'.repeat(129)]) {
        const calls = [
          () => storage.put(name, { sequence: 1, at: 1 }, bytes(1, 1)),
          () => storage.get(name, 1),
          () => storage.list(name),
          () => storage.delete(name),
        ]
        for (const call of calls) await expect(call()).rejects.toMatchObject({ code: 'database-name' })
      }
      for (const sequence of [-1, 0.5, Number.NaN, Infinity]) {
        const calls = [
          () => storage.put('plan', { sequence, at: 1 }, bytes(1, 1)),
          () => storage.get('plan', sequence),
          () => storage.delete('plan', sequence),
        ]
        for (const call of calls) await expect(call()).rejects.toMatchObject({ code: 'sequence' })
      }
      expect(await storage.list('plan')).toEqual([])
    })

    test('who reads while a snapshot is replaced sees the old one or the new one', async () => {
      const sizes = [1_000, 200_000]
      await storage.put('plan', { sequence: 1, at: 0 }, bytes(sizes[0]!, 0))
      const puts = 30
      const writing = (async () => {
        for (let at = 1; at <= puts; at += 1) await storage.put('plan', { sequence: 1, at }, bytes(sizes[at % 2]!, at))
      })()
      const reader = harness.storage()
      let seen = 0
      while (seen < puts) {
        const [listed, got] = await Promise.all([reader.list('plan'), reader.get('plan', 1)])
        const [info] = listed
        expect(listed).toHaveLength(1)
        expect(info!.at).toBeGreaterThanOrEqual(seen)
        seen = info!.at
        expect(info?.size).toBe(sizes[seen % 2])
        expect(got).toEqual(bytes(got!.length, got![0]!))
      }
      await writing
    })

    test('of snapshots put at once under one number one is there, whole', async () => {
      await Promise.all(
        Array.from({ length: 8 }, (_, n) =>
          harness.storage().put('plan', { sequence: 1, label: `${n}`, at: n }, bytes(n + 1, n)),
        ),
      )
      const [info, ...more] = await storage.list('plan')
      expect(more).toEqual([])
      expect(info).toEqual({ sequence: 1, label: `${info?.at}`, at: info?.at, size: info!.at + 1 })
      expect(await storage.get('plan', 1)).toEqual(bytes(info!.at + 1, info!.at))
    })

    test('a snapshot that a crash has torn is not there, and can be put again', async (context) => {
      const { tear } = harness
      if (!tear) return context.skip('here no crash tears a snapshot')
      await storage.put('plan', { sequence: 1, at: 1 }, bytes(10, 1))
      await tear('plan', 2)
      expect((await storage.list('plan')).map(({ sequence }) => sequence)).toEqual([1])
      expect(await storage.get('plan', 2)).toBeUndefined()
      await storage.put('plan', { sequence: 2, at: 2 }, bytes(20, 2))
      expect(await storage.get('plan', 2)).toEqual(bytes(20, 2))
      await tear('plan', 3)
      await storage.delete('plan', 3)
      await storage.delete('plan')
      expect(await storage.list('plan')).toEqual([])
    })

    test('any calls in any order give what they give on a plain map', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
          const place = await make()
          try {
            await followModel(place, steps)
          } finally {
            await place.dispose()
          }
        }),
        { numRuns: 30 },
      )
    })
  })
}

type Step =
  | { readonly do: 'put'; readonly sequence: number; readonly label: string | undefined; readonly bytes: Uint8Array }
  | { readonly do: 'delete'; readonly sequence: number | undefined }

const sequence = fc.nat(5)
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('put' as const),
      sequence,
      label: fc.option(fc.string({ unit: 'binary' }), { nil: undefined }),
      bytes: fc.uint8Array({ maxLength: 50 }),
    }),
  },
  fc.record({ do: fc.constant('delete' as const), sequence: fc.option(sequence, { nil: undefined, freq: 8 }) }),
)

async function followModel(place: SnapshotStorageHarness, steps: readonly Step[]): Promise<void> {
  const model = new Map<number, { label: string | undefined; at: number; bytes: Uint8Array }>()
  for (const [at, now] of steps.entries()) {
    const storage = place.storage()
    if (now.do === 'put') {
      const { label } = now
      await storage.put('model', { sequence: now.sequence, label, at }, now.bytes)
      model.set(now.sequence, { label, at, bytes: now.bytes })
    } else {
      await storage.delete('model', now.sequence)
      if (now.sequence === undefined) model.clear()
      else model.delete(now.sequence)
    }
    const ordered = [...model].toSorted(([a], [b]) => a - b)
    expect(await storage.list('model')).toEqual(
      ordered.map(([number, kept]) => ({
        sequence: number,
        ...(kept.label === undefined ? {} : { label: kept.label }),
        at: kept.at,
        size: kept.bytes.length,
      })),
    )
    for (const [number, kept] of ordered) expect(await storage.get('model', number)).toEqual(kept.bytes)
  }
}

function bytes(length: number, value: number): Uint8Array {
  return new Uint8Array(length).fill(value)
}
