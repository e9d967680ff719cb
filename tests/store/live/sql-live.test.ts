import { describe, expect, test } from 'vitest'
import type { LiveDiff, SqlRow } from '../../../src/store/api.ts'
import { applyDiff, SqlLive } from '../../../src/store/live/index.ts'
import { openEngine, type Opened } from './open-engine.ts'

const rows = Array.from({ length: 20 }, (_, id) => ({ id, rank: id, layerId: id % 2 ? 'a' : 'b' }))

function follow({ engine }: Opened, sql: string, parameters: readonly (string | number)[] = []) {
  const live = new SqlLive(engine, { sql, parameters })
  const results: (readonly SqlRow[])[] = []
  const diffs: LiveDiff<SqlRow>[] = []
  live.rows$.subscribe((result) => results.push(result))
  live.diff$.subscribe((diff) => diffs.push(diff))
  return { live, results, diffs }
}

function runs(reads: readonly string[], sql: string): number {
  return reads.filter((read) => read === sql).length
}

describe('a live SQL query', () => {
  test('runs again only for what it reads, once per transaction', async () => {
    const opened = await openEngine(rows)
    const sql =
      'select layer.title, count(*) as n, sum(pin.rank) as total from pin join layer on layer.id = pin.layerId group by layer.title'
    const { results } = follow(opened, sql)
    const { engine, pin, layer, takeReads } = opened
    takeReads()
    pin.set(3, 'note', 'x')
    pin.set(3, 'size', 9)
    expect(runs(takeReads(), sql)).toBe(0)
    engine.write(undefined, {}, () => {
      pin.set(3, 'rank', 100)
      pin.set(5, 'rank', 100)
      layer.update('a', { title: 'First' })
    })
    expect(runs(takeReads(), sql)).toBe(1)
    pin.delete([4])
    layer.insert([{ id: 'd' }])
    expect(runs(takeReads(), sql)).toBe(2)
    expect(results).toHaveLength(3)
    expect(results.at(-1)).toEqual([
      { title: 'First', n: 10, total: 100 + 100 - 8 + 100 },
      { title: 'Layer b', n: 9, total: 86 },
    ])
  })

  test('depends on what an index that covers it holds', async () => {
    const opened = await openEngine(rows)
    const sql = 'select count(*) as n from pin where layerId = ? and rank > 10'
    const { results } = follow(opened, sql, ['a'])
    opened.takeReads()
    opened.pin.set(1, 'note', 'x')
    expect(runs(opened.takeReads(), sql)).toBe(0)
    opened.pin.set(1, 'rank', 50)
    opened.pin.set(3, 'layerId', 'b')
    opened.pin.set(19, 'layerId', 'b')
    expect(results.map(([row]) => row!['n'])).toEqual([5, 6, 5])
  })

  test('depends on a default and the object around it', async () => {
    const opened = await openEngine([{ id: 1 }, { id: 2, label: { text: 'x' } }])
    const { results } = follow(opened, 'select id from pin where label_weight = 3')
    opened.pin.update(1, { label: { text: 'y' } })
    opened.pin.set(2, 'label.weight', 4)
    expect(results.map((result) => result.map((row) => row['id']))).toEqual([[2], [1, 2], [1]])
  })

  test('keeps unchanged rows and its diffs add up', async () => {
    const opened = await openEngine(rows)
    const { results, diffs } = follow(opened, 'select id, rank, note from pin order by rank, id')
    let seed = 7
    const random = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below
    for (let n = 0; n < 200; n++) {
      const id = random(30)
      if (opened.pins.rowidOf(id) === undefined) opened.pin.insert([{ id, rank: random(9) }])
      else if (random(4) === 0) opened.pin.delete([id])
      else opened.pin.update(id, { rank: random(9), ...(random(2) === 0 ? { note: `n${random(3)}` } : {}) })
      expect(results.at(-1)).toEqual(
        new SqlLive(opened.engine, { sql: 'select id, rank, note from pin order by rank, id', parameters: [] }).rows,
      )
    }
    expect(diffs).toHaveLength(results.length - 1)
    for (const [at, diff] of diffs.entries()) {
      const replayed = applyDiff(results[at]!, diff)
      expect(replayed).toHaveLength(results[at + 1]!.length)
      for (const [n, row] of replayed.entries()) expect(row).toBe(results[at + 1]![n])
      expect(diff.added.length + diff.changed.length).toBeLessThanOrEqual(1)
    }
  })

  test('gives nothing for a result that is the same', async () => {
    const opened = await openEngine(rows)
    const { results, live } = follow(opened, 'select max(rank) as top from pin')
    opened.pin.set(2, 'rank', 3)
    expect(results).toHaveLength(1)
    live.close()
    opened.pin.set(2, 'rank', 300)
    expect(results).toHaveLength(1)
  })

  test('runs once for all who ask the same, and apart for other parameters', async () => {
    const opened = await openEngine(rows)
    const sql = 'select id, rank from pin where layerId = ? order by rank, id'
    const same = Array.from({ length: 50 }, () => follow(opened, sql, ['a']))
    const other = follow(opened, sql, ['b'])
    expect(runs(opened.takeReads(), sql)).toBe(2)
    opened.pin.set(1, 'rank', 70)
    expect(runs(opened.takeReads(), sql)).toBe(2)
    expect(other.results).toHaveLength(1)
    for (const { live, results, diffs } of same) {
      expect(results).toHaveLength(2)
      expect(results[1]).toBe(same[0]!.results[1])
      expect(diffs[0]).toBe(same[0]!.diffs[0])
      live.close()
    }
    opened.pin.set(1, 'rank', 71)
    expect(runs(opened.takeReads(), sql)).toBe(1)
  })

  test('gives the same array while nobody is subscribed and nothing has changed', async () => {
    const { engine, pin } = await openEngine(rows)
    const live = new SqlLive(engine, { sql: 'select id, rank from pin order by id', parameters: [] })
    const before = live.rows
    expect(live.rows).toBe(before)
    pin.set(0, 'rank', 77)
    expect(live.rows[0]).toEqual({ id: 0, rank: 77 })
    expect(live.rows[1]).toBe(before[1])
  })
})
