import fc from 'fast-check'
import { ConstraintError, sql } from 'rowcast'
import { expect, test } from 'vitest'
import { FakeGpu, manualFrames, mirrorPins, openPins, type PinStore } from './pins.ts'

type PinKey = readonly [string, number]

const key: fc.Arbitrary<PinKey> = fc.tuple(
  fc.constantFrom('a', 'b'),
  fc.oneof(fc.integer({ min: 0, max: 2 }), fc.integer({ min: 0, max: 70 })),
)
const number = fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 })
const fields = fc.record(
  {
    x: number,
    y: fc.option(number, { nil: undefined }),
    rank: fc.oneof(fc.constant(null), fc.integer({ min: -5, max: 10 }), fc.constant(undefined)),
    hidden: fc.boolean(),
    color: fc.constantFrom('#fff', '#01020304', 'rgb(1 2 3)', undefined),
    points: fc.oneof(fc.array(number, { maxLength: 3 }), fc.constant(undefined)),
    leader: fc.oneof(
      fc.record({ width: number, dashed: fc.boolean() }, { requiredKeys: ['dashed'] }),
      fc.constant(undefined),
    ),
    note: fc.string({ maxLength: 3 }),
  },
  { requiredKeys: [] },
)

type Step =
  | { readonly do: 'upsert'; readonly rows: readonly (readonly [PinKey, object])[] }
  | { readonly do: 'update'; readonly key: PinKey; readonly fields: object }
  | { readonly do: 'sql'; readonly rank: number; readonly add: number }
  | { readonly do: 'delete'; readonly keys: readonly PinKey[] }
  | { readonly do: 'undo' | 'redo' | 'cancel' | 'commit' }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('upsert' as const),
      rows: fc.array(fc.tuple(key, fields), { minLength: 1, maxLength: 40 }),
    }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('update' as const), key, fields }) },
  fc.record({
    do: fc.constant('sql' as const),
    rank: fc.integer({ min: 0, max: 5 }),
    add: fc.integer({ min: -4, max: 4 }),
  }),
  { weight: 3, arbitrary: fc.record({ do: fc.constant('delete' as const), keys: fc.array(key, { maxLength: 10 }) }) },
  fc.record({ do: fc.constantFrom('undo' as const, 'redo' as const, 'cancel' as const, 'commit' as const) }),
)
const where = fc.constantFrom('store' as const, 'draft' as const, 'transaction' as const, 'rollback' as const)
const run = fc.array(fc.record({ step, where, take: fc.boolean() }), { maxLength: 40, size: 'max' })

function write(space: Pick<PinStore, 'table' | 'exec'>, one: Step): void {
  const pins = space.table('pin')
  if (one.do === 'upsert') pins.upsert(one.rows.map(([[board, id], rest]) => ({ ...rest, board, id })))
  else if (one.do === 'update' && pins.has(one.key)) pins.update(one.key, one.fields)
  else if (one.do === 'sql') space.exec(sql`update pin set rank = rank + ${one.add}, x = id where rank > ${one.rank}`)
  else if (one.do === 'delete') pins.delete(one.keys)
}

/** Runs a step; what collides with an open draft changes nothing. */
function attempt(fn: () => void): void {
  try {
    fn()
  } catch (error) {
    if (!(error instanceof ConstraintError)) throw error
  }
}

class Undone extends Error {}

test.each([
  ['every row', undefined],
  ['the rows of a where', { rank: { gt: 2 } }],
] as const)(
  'a mirror of %s, and a GPU fed by its ranges, follow every kind of write',
  async (_name, filter) => {
    await fc.assert(
      fc.asyncProperty(run, async (steps) => {
        const store = await openPins()
        const { scheduler } = manualFrames()
        const mirror = mirrorPins(store, scheduler, filter)
        const gpu = new FakeGpu()
        let draft: ReturnType<PinStore['draft']> | undefined
        for (const { step: one, where: place, take } of steps) {
          if (one.do === 'undo') attempt(() => void store.history.undo())
          else if (one.do === 'redo') attempt(() => void store.history.redo())
          else if (one.do === 'cancel' || one.do === 'commit') {
            attempt(() => {
              if (one.do === 'cancel') draft?.cancel()
              else draft?.commit()
              draft = undefined
            })
          } else if (place === 'draft') attempt(() => write((draft ??= store.draft()), one))
          else if (place === 'transaction') {
            attempt(() => {
              store.transaction(() => {
                write(store, one)
                write(store, { do: 'update', key: ['a', 1], fields: { x: 1 } })
              })
            })
          } else if (place === 'rollback') {
            expect(() =>
              store.transaction(() => {
                attempt(() => write(store, one))
                throw new Undone()
              }),
            ).toThrow(Undone)
          } else attempt(() => write(store, one))
          if (take) gpu.take(mirror.arrays, mirror.takeDirty())
        }
        gpu.take(mirror.arrays, mirror.takeDirty())
        const fresh = mirrorPins(store, scheduler, filter)
        expect(mirror.count).toBe(fresh.count)
        for (let slot = 0; slot < mirror.count; slot++) {
          const at = mirror.keyAt(slot)!
          expect(mirror.slotOf(at)).toBe(slot)
          const other = fresh.slotOf(at)
          expect(other).toBeGreaterThanOrEqual(0)
          for (const name of Object.keys(mirror.layouts) as (keyof typeof mirror.layouts)[]) {
            const { size } = mirror.layouts[name]
            const of = (array: ArrayLike<number>, from: number) =>
              Array.from({ length: size }, (_, n) => array[from * size + n])
            expect(of(mirror.arrays[name], slot), `${name} of ${String(at)}`).toEqual(of(fresh.arrays[name], other))
            expect(of(gpu.buffers[name]!, slot), `uploaded ${name} of ${String(at)}`).toEqual(
              of(mirror.arrays[name], slot),
            )
          }
        }
        expect(mirror.keyAt(mirror.count)).toBeUndefined()
        await store.close()
      }),
      { numRuns: 100 },
    )
  },
  60_000,
)
