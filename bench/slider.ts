// What the store adds to the same work done by hand over sql.js, measured in turns within one run.
//   npm run bench -- slider
//   node scripts/run.mjs node bench/slider.ts      (after `npm run build`: it measures the package as built)
// 10,000 annotations of 100 attributes, of which each row sets 11. By hand: a prepared statement by rowid, one trigger a
// column calling a JavaScript function, no validation, no row objects, no subscribers.
import { cpus } from 'node:os'
import process from 'node:process'
import type { Store } from 'rowcast'
import { annotations, createBenchStore, keyOf, moved, rowOf } from './support/annotations.ts'
import { createRaw } from './support/raw-annotations.ts'
import { median, printTable, quantile } from './support/statistics.ts'

const rows = 10_000
const batch = 1_000
const rounds = 21

interface Contestant {
  readonly name: string
  /** Milliseconds of one round, or of the parts of it that count. */
  readonly round: () => number | Promise<number>
}

const collect = (): void => globalThis.gc?.()

function timed(work: () => void): number {
  const from = performance.now()
  work()
  return performance.now() - from
}

/** Runs all in turns and prints each with its ratio to the first. `scale` turns a round's milliseconds into the unit. */
async function compare(
  title: string,
  unit: string,
  scale: number,
  times: number,
  contestants: readonly Contestant[],
): Promise<void> {
  const results = contestants.map((): number[] => [])
  // The first round warms up.
  for (let round = -1; round < times; round++) {
    for (const [index, contestant] of contestants.entries()) {
      const ms = await contestant.round()
      if (round >= 0) results[index]?.push(ms)
    }
    collect()
  }
  const base = results[0] ?? []
  console.log(`\n${title}\n`)
  printTable(
    [unit, 'median', 'p10', 'p90', '× by hand', 'p10', 'p90'],
    contestants.map(({ name }, index) => {
      const values = results[index] ?? []
      // Of the same round: what slows a machine down for a while slows both.
      const ratios = values.map((ms, round) => ms / (base[round] ?? Number.NaN))
      return [
        name,
        ...[median(values), quantile(values, 0.1), quantile(values, 0.9)].map((ms) => (ms * scale).toFixed(2)),
        ...[median(ratios), quantile(ratios, 0.1), quantile(ratios, 0.9)].map((ratio) => ratio.toFixed(2)),
      ]
    }),
  )
}

let next = 0
/** A value that differs from the last one. */
const value = (): number => 100 + (++next % 1_000)

const sets = 5_000
const key = keyOf(5)

function setting(store: Store): () => number {
  const table = annotations(store)
  return () =>
    timed(() => {
      for (let step = 0; step < sets; step++) table.set(key, moved.path, value())
    })
}

function subscribe(store: Store, fields: number, rowCount: number): void {
  const table = annotations(store)
  let heard = 0
  const hear = (): void => void heard++
  for (let index = 0; index < fields; index++) table.field$(key, moved.path).subscribe(hear)
  if (fields > 0) table.changes$.subscribe(hear)
  for (let index = 0; index < rowCount; index++) table.row$(keyOf(index)).subscribe(hear)
}

async function slider(): Promise<void> {
  const [alone, twenty, many] = [
    await createBenchStore(rows),
    await createBenchStore(rows),
    await createBenchStore(rows),
  ]
  subscribe(twenty, 20, 0)
  subscribe(many, 20, rows)
  const [open, auto] = [await createRaw(), await createRaw()]
  for (const raw of [open, auto]) raw.insert(0, rows)
  open.db.run('BEGIN')
  const [updateOpen, updateAuto] = [open.updater(), auto.updater()]
  const updating = (update: typeof updateOpen) => () =>
    timed(() => {
      for (let step = 0; step < sets; step++) update(6, value())
    })
  await compare(
    `One field set (${sets.toLocaleString('en')} a round, ${rounds} rounds)`,
    'µs each',
    1000 / sets,
    rounds,
    [
      { name: 'by hand, transaction kept open', round: updating(updateOpen) },
      { name: 'by hand, each its own transaction', round: updating(updateAuto) },
      { name: 'table.set, no subscribers', round: setting(alone) },
      { name: 'table.set, 20 on the field + 1 on the table', round: setting(twenty) },
      { name: 'table.set, the same + 10,000 on rows', round: setting(many) },
    ],
  )
  if (open.captured === 0) throw new Error('The triggers by hand did not call.')

  const manyTable = annotations(many)
  await compare(`${batch.toLocaleString('en')} rows updated in one transaction`, 'ms', 1, rounds, [
    {
      name: 'by hand',
      round: () => {
        const to = value()
        return timed(() => {
          auto.db.run('BEGIN')
          for (let rowid = 1; rowid <= batch; rowid++) updateAuto(rowid, to)
          auto.db.run('COMMIT')
        })
      },
    },
    ...[
      { name: 'table.set in store.transaction', store: alone },
      { name: 'the same, 21 + 10,000 subscribers', store: many },
    ].map(({ name, store }) => ({
      name,
      round: () => {
        const table = annotations(store)
        const to = value()
        return timed(() =>
          store.transaction(() => {
            for (let index = 0; index < batch; index++) table.set(keyOf(index), moved.path, to)
          }),
        )
      },
    })),
    {
      name: 'table.update with a patch, 21 + 10,000 subscribers',
      round: () => {
        const to = value()
        return timed(() =>
          many.transaction(() => {
            for (let index = 0; index < batch; index++)
              manyTable.update(keyOf(index), { [moved.group]: { [moved.name]: to } })
          }),
        )
      },
    },
  ])

  await compare(`Draft: ${batch.toLocaleString('en')} edits, each seen at once, and their cancel`, 'ms', 1, rounds, [
    {
      name: 'by hand: savepoint, updates, rollback',
      round: () => {
        const to = value()
        return timed(() => {
          auto.db.run('SAVEPOINT draft')
          for (let rowid = 1; rowid <= batch; rowid++) updateAuto(rowid, to)
          auto.db.run('ROLLBACK TO draft')
          auto.db.run('RELEASE draft')
        })
      },
    },
    ...[
      { name: 'draft.set × 1,000, draft.cancel', store: alone },
      { name: 'the same, 21 + 10,000 subscribers', store: many },
    ].map(({ name, store }) => ({
      name,
      round: () => {
        const to = value()
        return timed(() => {
          const draft = store.draft()
          const table = annotations(draft)
          for (let index = 0; index < batch; index++) table.set(keyOf(index), moved.path, to)
          draft.cancel()
        })
      },
    })),
  ])
  for (const store of [alone, twenty, many]) await store.close()
}

async function inserts(): Promise<void> {
  const given = Array.from({ length: rows }, (_, index) => rowOf(index))
  await compare('10,000 rows of 100 attributes inserted, 11 set', 'ms', 1, 9, [
    {
      name: 'by hand: one prepared statement, no validation',
      round: async () => {
        const raw = await createRaw()
        const ms = timed(() => raw.insert(0, rows))
        raw.db.close()
        return ms
      },
    },
    {
      name: 'table.insert of an array, validated',
      round: async () => {
        const store = await createBenchStore(0)
        const ms = timed(() => void annotations(store).insert(given))
        await store.close()
        return ms
      },
    },
  ])
}

console.log(`Node ${process.version}, ${cpus().length} processors; medians of rounds taken in turns`)
await slider()
await inserts()
