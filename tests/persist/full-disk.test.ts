import { createStore, defineSchema, type Store } from 'rowcast'
import { PersistenceError } from 'rowcast/persist'
import { memoryTransport } from 'rowcast/transport'
import { config } from 'rxjs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { MemoryDisk } from '../support/memory-disk.ts'
import { firstSeed, Random } from '../support/random.ts'
import { nobody } from '../support/sync-world.ts'

const MB = 1_000_000
const properties = { id: { type: 'string' }, text: { type: 'string' } } as const
const schema = defineSchema({
  version: 1,
  tables: { note: { primaryKey: 'id', schema: { type: 'object', required: ['id'], properties } } },
})
type NoteStore = Store<(typeof schema)['definition']>

let uncaught: unknown[]

beforeEach(() => {
  uncaught = []
  config.onUnhandledError = (error) => uncaught.push(error)
})

afterEach(async () => {
  // They surface by timers: those before this one.
  await new Promise((resolve) => setTimeout(resolve))
  config.onUnhandledError = null
  for (const error of uncaught) expect(error).toBeInstanceOf(PersistenceError)
})

const kinds = [
  { kind: 'without a server', open: (disk: MemoryDisk) => createStore({ schema, persistence: disk }) },
  {
    kind: 'that syncs, offline',
    open: (disk: MemoryDisk) =>
      createStore({ schema, persistence: disk, sync: { transport: memoryTransport(nobody), database: 'scene' } }),
  },
] as const

/** What a fresh reading of what lies there finds. */
async function found(disk: MemoryDisk, open: (disk: MemoryDisk) => Promise<NoteStore>): Promise<object> {
  const store = await open(new MemoryDisk(disk.contents))
  const rows = rowsOf(store)
  await store.close()
  return rows
}

const rowsOf = (store: NoteStore): object =>
  Object.fromEntries(
    store
      .table('note')
      .all()
      .map(({ id, text }) => [id, text?.length]),
  )

/** Half of it taken by rows: a snapshot fits once, and not beside another. */
async function openFull(open: (disk: MemoryDisk) => Promise<NoteStore>) {
  const disk = new MemoryDisk()
  const store = await open(disk)
  store.table('note').insert(Array.from({ length: 20 }, (_, n) => ({ id: `n${n}`, text: 'x'.repeat(0.06 * MB) })))
  await store.saved()
  return { disk, store }
}

describe('a store on a disk that is full', () => {
  const { open } = kinds[0]

  test('goes on appending where no snapshot fits, tells it once, and does not try at every write', async () => {
    const { disk, store } = await openFull(open)
    disk.isBeside = true
    disk.limit = 4 * MB
    const { replaces } = disk
    for (let n = 0; n < 22; n++) {
      store.table('note').set('n0', 'text', `${n}`.repeat(0.05 * MB))
      await store.saved()
    }
    expect(disk.usage).toBeGreaterThan(2.5 * MB)
    for (let n = 0; n < 30; n++) {
      store.table('note').set('n0', 'text', `${n}`)
      await store.saved()
      store.table('note').insert({ id: `more ${n}`, text: 'z'.repeat(10_000) })
      await store.saved()
    }
    expect(disk.replaces - replaces).toBeLessThan(4)
    expect(uncaught.length).toBeLessThan(2)
    expect(await found(disk, open)).toEqual(rowsOf(store))
    await store.close()
  })

  test('keeps a large change as a record where no snapshot fits', async () => {
    const disk = new MemoryDisk()
    const store = await open(disk)
    store.table('note').insert(Array.from({ length: 6_000 }, (_, n) => ({ id: `n${n}`, text: 'x'.repeat(300) })))
    await store.saved()
    disk.isBeside = true
    disk.limit = disk.usage + 2 * MB
    store.transaction(() => {
      for (let n = 0; n < 5_900; n++) store.table('note').set(`n${n}`, 'text', '')
    })
    await store.saved()
    expect(await found(disk, open)).toEqual(rowsOf(store))
    await store.close()
  })
})

describe.for(kinds)('a store $kind on a disk that is full', ({ kind, open }) => {
  test('rejects what does not fit, and keeps everything once rows were deleted', async () => {
    const { disk, store } = await openFull(open)
    disk.limit = 3 * MB
    let failure: unknown
    for (let n = 0; failure === undefined && n < 100; n++) {
      store.table('note').insert({ id: `more ${n}`, text: 'z'.repeat(0.1 * MB) })
      failure = await store.saved().then(
        () => undefined,
        (error: unknown) => error,
      )
    }
    expect(failure).toMatchObject({ code: 'quota' })
    const kept = await found(disk, open)
    expect(Object.keys(rowsOf(store))).toEqual(expect.arrayContaining(Object.keys(kept)))
    for (const id of store.table('note').keys()) if (id !== 'n0') store.table('note').delete(id)
    if (kind === kinds[0].kind) {
      await store.saved()
      expect(disk.usage).toBeLessThan(0.2 * MB)
      store.table('note').set('n0', 'text', 'later')
      await store.saved()
      expect(await found(disk, open)).toEqual({ n0: 5 })
    } else {
      // What waits for the server is kept whole: it takes what others free.
      disk.limit = Infinity
      await store.saved()
      expect(await found(disk, open)).toEqual(rowsOf(store))
    }
    await store.close()
  })

  test('what was saved is found by a fresh reading, whatever room there is, and saving resumes', async () => {
    for (let seed = firstSeed; seed < firstSeed + 3; seed++) {
      const random = new Random(seed)
      const disk = new MemoryDisk()
      disk.isBeside = random.chance(50)
      const store = await open(disk)
      await store.saved()
      for (let n = 0; n < 60; n++) {
        disk.limit = random.int(4 * MB)
        const keys = store.table('note').keys()
        const key = random.pick(keys)
        const text = 'x'.repeat(random.int(0.1 * MB))
        const dice = random.int(4)
        if (key === undefined || dice < 2) store.table('note').insert({ id: `n${n}`, text })
        else if (dice === 2) store.table('note').set(key, 'text', text)
        else for (const one of keys) if (random.chance(60)) store.table('note').delete(one)
        const isSaved = await store.saved().then(
          () => true,
          () => false,
        )
        if (isSaved) expect(await found(disk, open), `ROWCAST_SEED=${seed}, step ${n}`).toEqual(rowsOf(store))
      }
      disk.limit = Infinity
      await store.saved()
      const last = rowsOf(store)
      await store.close()
      expect(await found(disk, open), `ROWCAST_SEED=${seed}`).toEqual(last)
    }
  })
})
