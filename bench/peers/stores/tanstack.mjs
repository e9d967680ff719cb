// TanStack DB: a local-only collection of nested objects; a manual transaction serves as the draft.
import {
  BTreeIndex,
  createCollection,
  createLiveQueryCollection,
  createTransaction,
  eq,
  gte,
  lte,
  localOnlyCollectionOptions,
} from '@tanstack/db'
import { moved } from '../../support/annotations.ts'
import { openNotes } from './tanstack-notes.mjs'

async function open() {
  const rows = createCollection(
    localOnlyCollectionOptions({
      getKey: (row) => row.id,
      // The indexes that live queries ask for; this kind is the one advised for many writes to a large collection.
      autoIndex: 'eager',
      defaultIndexType: BTreeIndex,
    }),
  )
  await rows.preload()
  const valueOf = (row) => row[moved.group][moved.name]
  const change = (value) => (draft) => {
    draft[moved.group][moved.name] = value
  }
  const onChange = (id, hear) => {
    const subscription = rows.subscribeChanges(
      (changes) => {
        for (const { value, previousValue } of changes) hear(value, previousValue)
      },
      { where: (row) => eq(row.id, id) },
    )
    return () => subscription.unsubscribe()
  }

  return {
    insert: (given) => {
      rows.insert([...given])
    },
    set: (id, value) => {
      rows.update(id, change(value))
    },
    setMany: (ids, value) => {
      rows.update([...ids], (drafts) => {
        for (const draft of drafts) change(value)(draft)
      })
    },
    row: (id) => rows.get(id),
    value: (id) => valueOf(rows.get(id)),
    count: () => rows.size,
    onField: (id, hear) =>
      onChange(id, (row, previous) => {
        const value = valueOf(row)
        if (previous === undefined || valueOf(previous) !== value) hear(value)
      }),
    onRow: (id, hear) => onChange(id, (row) => hear(row)),
    onTable: (hear) => {
      const subscription = rows.subscribeChanges(() => {
        hear()
      })
      return () => subscription.unsubscribe()
    },
    onQuery: async ({ where, from, to, by, limit }, hear) => {
      const query = createLiveQueryCollection((build) =>
        build
          .from({ row: rows })
          .where(({ row }) => gte(row[where.group][where.name], from))
          .where(({ row }) => lte(row[where.group][where.name], to))
          // Equal rows come by their key. To order by that too costs 20 ms a change, after the subscribers were told.
          .orderBy(({ row }) => row[by.group][by.name], 'desc')
          .limit(limit)
          .select(({ row }) => ({ id: row.id, value: row[by.group][by.name] })),
      )
      await query.preload()
      const tell = () => {
        hear(query.toArray.map(({ id }) => id))
      }
      const subscription = query.subscribeChanges(tell)
      tell()
      return async () => {
        subscription.unsubscribe()
        await query.cleanup()
      }
    },
    draft: () => {
      const transaction = createTransaction({
        autoCommit: false,
        mutationFn: ({ transaction: done }) => {
          rows.utils.acceptMutations(done)
          return Promise.resolve()
        },
      })
      return {
        set: (id, value) => {
          transaction.mutate(() => {
            rows.update(id, change(value))
          })
        },
        commit: async () => {
          await transaction.commit()
        },
        cancel: () => {
          // A rollback rejects what waits for the transaction.
          transaction.when('settled').catch((error) => {
            if (transaction.state !== 'failed') throw error
          })
          transaction.rollback()
        },
      }
    },
    close: () => rows.cleanup(),
  }
}

const crowd = { queries: 100, sets: 100, 'warm-up': 50, why: 'each change is filtered anew for every subscriber' }

/** @type {import('../../stores/contender.ts').Contender} */
export const contender = {
  name: 'TanStack DB 0.15',
  validates: false,
  smaller: {
    query: { 'warm-up': 1_000, why: 'each change takes over 1 ms' },
    'query-large': { changes: 30, 'warm-up': 10, why: 'each change takes 15 ms or more' },
    'slider-crowd': crowd,
    'slider-crowd-same': crowd,
  },
  open,
  openNotes,
}
