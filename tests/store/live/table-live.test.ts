import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { StoreClosedError } from '../../../src/errors/index.ts'
import type { LiveDiff } from '../../../src/store/api.ts'
import {
  applyDiff,
  closeLiveQueries,
  TableLive,
  TableQuery,
  type TableQueryOptions,
} from '../../../src/store/live/index.ts'
import { openEngine, type Opened, type Pin } from './open-engine.ts'

const queries: readonly TableQueryOptions[] = [
  {},
  { orderBy: '-rank' },
  { orderBy: 'rank', limit: 3 },
  { orderBy: ['-rank', 'label.text'], limit: 4, offset: 2 },
  { where: { layerId: 'a' }, orderBy: 'rank', limit: 5 },
  { where: { or: [{ rank: { gt: 2 } }, { layerId: null }] }, orderBy: ['layerId', '-size'] },
  { where: { 'label.weight': 3 }, orderBy: 'label.text', limit: 3, offset: 1 },
  { where: { label: { isNull: true } }, orderBy: '-layerId', limit: 2 },
  { where: { 'points.0': { gte: 2 } }, orderBy: '-points.1' },
  { where: { extra: { gt: 1 } }, orderBy: 'extra', limit: 3 },
  { where: { size: 5 }, orderBy: '-id', offset: 3 },
  { orderBy: 'rank', limit: 3, offset: 2_500 },
  { orderBy: 'rank', limit: 0 },
]

const pin = fc.record(
  {
    id: fc.nat(90),
    layerId: fc.constantFrom('a', 'b', null),
    rank: fc.oneof(fc.nat(5), fc.constant(null)),
    size: fc.constantFrom(1, 5, 7.5),
    label: fc.record({ text: fc.constantFrom('x', 'y', 'é', '😀'), weight: fc.nat(4) }, { requiredKeys: ['text'] }),
    points: fc.array(fc.nat(3), { maxLength: 3 }),
    note: fc.constantFrom('p', 'q'),
    extra: fc.nat(3),
  },
  { requiredKeys: ['id'] },
)

type Step = (opened: Opened) => void

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: pin.map(
      (row): Step =>
        ({ pin: writer }) =>
          void writer.upsert([row]),
    ),
  },
  {
    weight: 3,
    arbitrary: fc.nat(90).map(
      (id): Step =>
        ({ pin: writer }) =>
          void writer.delete([id]),
    ),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.nat(90), fc.oneof(fc.nat(5), fc.constant(null)))
      .map(([id, rank]): Step => ifThere(id, (w) => w.set(id, 'rank', rank))),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.nat(90), fc.constantFrom('p', 'q', 'r'))
      .map(([id, note]): Step => ifThere(id, (w) => w.set(id, 'note', note))),
  },
  { weight: 1, arbitrary: fc.nat(90).map((id): Step => ifThere(id, (w) => w.reset(id, 'label'))) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.nat(90), fc.nat(90))
      .map(([from, to]): Step => sql(`UPDATE OR IGNORE pin SET id = ${to} WHERE id = ${from}`)),
  },
  { weight: 1, arbitrary: fc.nat(5).map((rank): Step => sql(`UPDATE pin SET rank = ${rank} WHERE id % 3 = 0`)) },
  { weight: 1, arbitrary: fc.nat(5).map((size): Step => sql(`UPDATE pin SET size = size + ${size}, rank = 5 - rank`)) },
)

function ifThere(id: number, write: (writer: Opened['pin']) => void): Step {
  return ({ pin: writer, pins }) => {
    if (pins.rowidOf(id) !== undefined) write(writer)
  }
}

function sql(text: string): Step {
  return ({ engine }) => engine.write(undefined, {}, () => engine.driver.exec(text))
}

/** Follows a live query, and checks each result against a fresh query and its diff against the result before. */
function follow(opened: Opened, options: TableQueryOptions, spare?: number): { check(single: boolean): void } {
  const { engine, pins } = opened
  const fresh = new TableQuery(pins, options)
  const live = new TableLive<Pin & object>(engine, pins, new TableQuery(pins, options), spare)
  const results: (readonly object[])[] = []
  const diffs: LiveDiff<object>[] = []
  live.rows$.subscribe((rows) => results.push(rows))
  live.diff$.subscribe((diff) => diffs.push(diff))
  return {
    check(single) {
      const expected = fresh.run()
      const last = results.at(-1)!
      expect(live.rows).toBe(last)
      expect(last).toEqual(expected)
      // A row that is deleted and inserted again as it was is another object to the table, and no change.
      if (single) for (const [at, row] of expected.entries()) expect(last[at]).toBe(row)
      expect(diffs).toHaveLength(results.length - 1)
      for (const [at, diff] of diffs.entries()) {
        const replayed = applyDiff(results[at]!, diff)
        expect(replayed).toHaveLength(results[at + 1]!.length)
        for (const [n, row] of replayed.entries()) expect(row).toBe(results[at + 1]![n])
      }
      for (let at = 1; at < results.length; at++) expect(results[at]).not.toEqual(results[at - 1])
      results.splice(0, results.length - 1)
      diffs.length = 0
    },
  }
}

describe('a live query of a table', () => {
  test('equals a fresh query after every transaction, and its diffs add up', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(pin, { selector: (row) => row.id, maxLength: 80, size: 'max' }),
        fc.oneof(
          fc.array(fc.array(step, { minLength: 1, maxLength: 4 }), { maxLength: 40 }),
          fc.array(fc.tuple(step), { maxLength: 40 }),
        ),
        async (rows, transactions) => {
          const opened = await openEngine(rows)
          const followed = queries.flatMap((options) => [undefined, 1].map((spare) => follow(opened, options, spare)))
          for (const steps of transactions) {
            opened.engine.write(undefined, {}, () => {
              for (const one of steps) one(opened)
            })
            for (const one of followed) one.check(transactions.every((each) => each.length === 1))
          }
          opened.engine.close()
        },
      ),
      { numRuns: 60 },
    )
  }, 120_000)

  test('equals a fresh query when subscribers write while they are told', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(pin, { selector: (row) => row.id, minLength: 5, maxLength: 25 }),
        fc.array(fc.tuple(step, step), { maxLength: 15 }),
        async (rows, pairs) => {
          const opened = await openEngine(rows)
          let next: Step | undefined
          const first = new TableLive(opened.engine, opened.pins, new TableQuery(opened.pins))
          first.rows$.subscribe(() => {
            const now = next
            next = undefined
            now?.(opened)
          })
          const lives = queries.map(
            (options) =>
              [
                new TableLive(opened.engine, opened.pins, new TableQuery(opened.pins, options), 1),
                new TableQuery(opened.pins, options),
              ] as const,
          )
          for (const [live] of lives) live.rows$.subscribe()
          for (const [one, other] of pairs) {
            next = other
            one(opened)
            next = undefined
            for (const [live, fresh] of lives) expect(live.rows).toEqual(fresh.run())
          }
          opened.engine.close()
        },
      ),
      { numRuns: 40 },
    )
  }, 120_000)

  test('follows many changes in one transaction', async () => {
    const opened = await openEngine(Array.from({ length: 600 }, (_, id) => ({ id, rank: id })))
    const all = queries.map((options) => follow(opened, options))
    sql('UPDATE pin SET rank = 600 - rank WHERE id <> 7')(opened)
    for (const one of all) one.check(true)
    sql('DELETE FROM pin WHERE id > 2')(opened)
    for (const one of all) one.check(true)
  })

  test('runs no statement for a change that does not concern it', async () => {
    const {
      engine,
      pins,
      pin: writer,
      takeReads,
    } = await openEngine(Array.from({ length: 200 }, (_, id) => ({ id, rank: id, layerId: id % 2 ? 'a' : 'b' })))
    const live = new TableLive(
      engine,
      pins,
      new TableQuery(pins, { where: { layerId: 'a' }, orderBy: 'rank', limit: 5 }),
    )
    const results: unknown[] = []
    live.rows$.subscribe((rows) => results.push(rows))
    const change = (first: number): string[] => {
      takeReads()
      sql(`UPDATE pin SET note = 'x' WHERE id = 150`)({ engine } as Opened)
      writer.insert([
        { id: first, rank: 900, layerId: 'a' },
        { id: first + 1, rank: 0, layerId: 'b' },
      ])
      writer.delete([first, first + 1])
      return takeReads()
    }
    change(890)
    const watched = change(900)
    live.close()
    expect(watched).toEqual(change(910))
    expect(results).toHaveLength(1)
  })

  test('follows rows that leave its window without asking SQLite, until its spare rows are used up', async () => {
    const {
      engine,
      pins,
      pin: writer,
      takeReads,
    } = await openEngine(Array.from({ length: 200 }, (_, id) => ({ id, rank: id })))
    const live = new TableLive<Pin & object>(engine, pins, new TableQuery(pins, { orderBy: 'rank', limit: 5 }))
    live.rows$.subscribe()
    takeReads()
    for (let id = 0; id < 60; id++) writer.set(id, 'rank', 1_000 + id)
    expect(live.rows.map((row) => row.id)).toEqual([60, 61, 62, 63, 64])
    expect(takeReads().filter((text) => text.includes('ORDER BY'))).toHaveLength(2)
  })

  test('reads and fills its window once for all who ask the same', async () => {
    const opened = await openEngine(Array.from({ length: 200 }, (_, id) => ({ id, rank: id })))
    const { engine, pins, pin: writer, takeReads } = opened
    const fills = (): number => takeReads().filter((text) => text.includes('ORDER BY')).length
    const told = Array.from({ length: 50 }, () => {
      const results: (readonly object[])[] = []
      const query = new TableQuery(pins, { where: { rank: { gte: 0 } }, orderBy: 'rank', limit: 5 })
      new TableLive(engine, pins, query).rows$.subscribe((rows) => results.push(rows))
      return results
    })
    expect(fills()).toBe(1)
    for (let id = 0; id < 30; id++) writer.set(id, 'rank', 1_000 + id)
    expect(fills()).toBe(1)
    expect(told[0]).toHaveLength(31)
    for (const results of told) for (const [n, rows] of results.entries()) expect(rows).toBe(told[0]![n])
    expect(told.map((results) => results.length)).toEqual(told.map(() => 31))
  })

  test('gives the same array while nobody is subscribed and nothing has changed', async () => {
    const { engine, pins, pin: writer } = await openEngine([{ id: 1 }, { id: 2 }])
    const live = new TableLive(engine, pins, new TableQuery(pins))
    const before = live.rows
    expect(live.rows).toBe(before)
    const subscription = live.rows$.subscribe((rows) => expect(rows).toBe(before))
    subscription.unsubscribe()
    expect(engine.announcer.updaters.size).toBe(0)
    expect(live.rows).toBe(before)
    writer.set(1, 'rank', 4)
    expect(live.rows).not.toBe(before)
    expect(live.rows[1]).toBe(before[1])
    expect(Object.isFrozen(live.rows)).toBe(true)
  })

  test('is right after a rollback of the transaction in which it was subscribed to', async () => {
    const { engine, pins, pin: writer } = await openEngine([{ id: 1 }])
    const live = new TableLive<Pin & object>(engine, pins, new TableQuery(pins))
    const seen: number[][] = []
    expect(() =>
      engine.write(undefined, {}, () => {
        writer.insert([{ id: 2 }])
        live.rows$.subscribe((rows) => seen.push(rows.map((row) => row.id)))
        throw new Error('no')
      }),
    ).toThrow('no')
    engine.write(undefined, {}, () => {
      writer.insert([{ id: 3 }])
      new TableLive(engine, pins, new TableQuery(pins)).rows$.subscribe()
      writer.delete([3])
    })
    expect(seen).toEqual([[1, 2], [1]])
  })

  test('completes when it is closed, and throws from then on', async () => {
    const { engine, pins } = await openEngine([{ id: 1 }])
    const live = new TableLive(engine, pins, new TableQuery(pins))
    const other = new TableLive(engine, pins, new TableQuery(pins))
    const completed: string[] = []
    live.rows$.subscribe({ complete: () => completed.push('rows') })
    live.diff$.subscribe({ complete: () => completed.push('diff') })
    other.rows$.subscribe({ complete: () => completed.push('other') })
    live.close()
    expect(completed).toEqual(['rows', 'diff'])
    expect(() => live.rows).toThrow(StoreClosedError)
    live.rows$.subscribe({ complete: () => completed.push('late') })
    closeLiveQueries(engine)
    expect(completed).toEqual(['rows', 'diff', 'late', 'other'])
    expect(engine.announcer.updaters.size).toBe(0)
  })
})
