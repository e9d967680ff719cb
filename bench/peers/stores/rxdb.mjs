// RxDB in memory: documents of nested objects. Everything is asynchronous; it has no transactions and no draft.
import { createRxDatabase } from 'rxdb'
import { getRxStorageMemory } from 'rxdb/plugins/storage-memory'
import { distinctUntilChanged, skip } from 'rxjs'
import { filtered, leaves, moved } from '../../support/annotations.ts'
import { openNotes } from './rxdb-notes.mjs'

// What is indexed has to be required, with a smallest and a largest value and a step.
const indexed = new Set([filtered.column, moved.column])
const groups = [...new Set(leaves.map(({ group }) => group))]
const schema = {
  version: 0,
  primaryKey: 'id',
  type: 'object',
  additionalProperties: false,
  properties: {
    id: { type: 'string', minLength: 1, maxLength: 100 },
    ...Object.fromEntries(
      groups.map((group) => [
        group,
        {
          type: 'object',
          additionalProperties: false,
          properties: Object.fromEntries(
            leaves
              .filter((leaf) => leaf.group === group)
              .map((leaf) => [
                leaf.name,
                { type: 'number', minimum: 0, maximum: 1_000_000, ...(indexed.has(leaf.column) && { multipleOf: 1 }) },
              ]),
          ),
          required: leaves.filter((leaf) => leaf.group === group && indexed.has(leaf.column)).map(({ name }) => name),
        },
      ]),
    ),
  },
  required: ['id', moved.group],
}

/** With indexes on what queries filter and order by, in the works that have any. */
const schemaFor = (work) => {
  if (work === 'query')
    return {
      ...schema,
      indexes: [
        [moved.path, 'id'],
        [filtered.path, 'id'],
      ],
    }
  return ['slider-crowd', 'slider-crowd-same', 'leak'].includes(work)
    ? { ...schema, indexes: [[filtered.path, 'id']] }
    : schema
}

let opened = 0

const crowd = { queries: 100, sets: 100, 'warm-up': 50, why: 'each change goes to every document observed' }

/** The contender on a storage: plain, or wrapped by a plugin that validates. */
export const contenderOn = (name, validates, storageOf) => ({
  name,
  validates,
  leftOut: { draft: 'it has no transactions', join: 'it has no joins' },
  smaller: {
    'query-large': { changes: 100, 'warm-up': 100, why: 'a row moved out takes 40 ms' },
    'slider-crowd': crowd,
    'slider-crowd-same': crowd,
  },
  openNotes,
  open: async (work) => {
    const database = await createRxDatabase({
      name: `bench${opened++}`,
      storage: storageOf(getRxStorageMemory()),
      eventReduce: true,
      multiInstance: false,
    })
    const { annotation: rows } = await database.addCollections({ annotation: { schema: schemaFor(work) } })
    const live = new Set()
    // An observed query is brought up to date on its own, after the write: `exec` ends once it is.
    const told = async () => {
      await Promise.all(Array.from(live, (query) => query.exec()))
    }
    const find = (id) => rows.findOne(id).exec()
    const observe = (observable, hear) => {
      const subscription = observable.subscribe(hear)
      return () => subscription.unsubscribe()
    }
    const change = (value) => (data) => {
      data[moved.group][moved.name] = value
      return data
    }

    return {
      insert: async (given) => {
        const { error } = await rows.bulkInsert([...given])
        if (error.length > 0) throw new Error(`RxDB took ${error.length} rows not in`, { cause: error[0] })
        // The memory storage sorts new rows into its indexes with the first read, or when idle: that belongs to the insert.
        await find(given[0].id)
        await told()
      },
      set: async (id, value) => {
        const document = await find(id)
        await document.incrementalPatch({ [moved.group]: { ...document[moved.group], [moved.name]: value } })
        await told()
      },
      setMany: async (ids, value) => {
        await rows.findByIds([...ids]).incrementalModify(change(value))
        await told()
      },
      row: async (id) => (await find(id)).toJSON(),
      value: async (id) => (await find(id)).get(moved.path),
      count: () => rows.count().exec(),
      onField: async (id, hear) =>
        observe((await find(id)).get$(moved.path).pipe(distinctUntilChanged(), skip(1)), hear),
      onRow: async (id, hear) => observe((await find(id)).$.pipe(skip(1)), hear),
      onTable: (hear) => observe(rows.$, () => hear()),
      onQuery: async ({ where, from, to, by, limit }, hear) => {
        const query = rows.find({
          selector: { [where.path]: { $gte: from, $lte: to } },
          sort: [{ [by.path]: 'desc' }, { id: 'asc' }],
          limit,
        })
        const stop = observe(query.$, (found) => {
          hear(found.map(({ id }) => id))
        })
        live.add(query)
        await query.exec()
        return () => {
          live.delete(query)
          stop()
        }
      },
      close: async () => {
        await database.remove()
      },
    }
  },
})

/** @type {import('../../stores/contender.ts').Contender} */
export const contender = contenderOn('RxDB 17 (memory)', false, (storage) => storage)
