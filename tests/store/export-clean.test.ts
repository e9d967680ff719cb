import { createStore, defineSchema, sql, type SqliteDriverFactory, type Store } from 'rowcast'
import { memoryTransport } from 'rowcast/transport'
import { firstValueFrom } from 'rxjs'
import { expect, test } from 'vitest'
import { internals } from '../../src/store/index.ts'
import { describeEachDriver } from '../support/each-driver.ts'
import { openScene, openServer, sceneSchema, settled } from '../support/sync-world.ts'

const properties = { id: { type: 'string' }, text: { type: 'string' } } as const
const table = { primaryKey: 'id', schema: { type: 'object', required: ['id'], properties } } as const
const tables = { note: { ...table, indexes: [['text']], unique: [['text']] } } as const
const schema = defineSchema({ version: 1, tables })

/** Long enough to take pages of its own, and found in any part of them. */
const secret = (word: string): string => `<${word}>`.repeat(2_000)

function wordsIn(bytes: Uint8Array): string[] {
  const text = Buffer.from(bytes).toString('latin1')
  return [...new Set(text.match(/(?<=<)[a-z]+(?=>)/g))].toSorted()
}

interface Case {
  readonly what: string
  readonly does: (store: Store<(typeof schema)['definition']>) => unknown
  /** What may be found; `kept` is. */
  readonly left?: readonly string[]
}

const cases: readonly Case[] = [
  {
    what: 'an open draft has inserted',
    does: (store) =>
      store
        .draft()
        .table('note')
        .insert({ id: 'b', text: secret('drafted') }),
  },
  {
    what: 'an open draft has changed',
    does: (store) => store.draft().table('note').set('a', 'text', secret('drafted')),
  },
  {
    what: 'an open draft has deleted: it is there',
    does: (store) => store.draft().table('note').delete('a'),
  },
  {
    what: 'a cancelled draft has said',
    does: (store) => {
      const draft = store.draft()
      draft.table('note').insert({ id: 'b', text: secret('drafted') })
      draft.table('note').set('a', 'text', secret('altered'))
      draft.cancel()
    },
  },
  {
    what: 'was deleted',
    does: (store) => {
      for (let n = 0; n < 50; n++) store.table('note').insert({ id: `n${n}`, text: `${n}${secret('deleted')}` })
      for (let n = 0; n < 50; n++) store.table('note').delete(`n${n}`)
    },
  },
  {
    what: 'was deleted among short ones that stay, within their pages',
    does: (store) => {
      for (let n = 0; n < 300; n++)
        store.table('note').insert({ id: `n${n}`, text: `<${n % 3 ? 'stays' : 'deleted'}>${n}` })
      for (let n = 0; n < 300; n += 3) store.table('note').delete(`n${n}`)
    },
    left: ['kept', 'stays'],
  },
  {
    what: 'was written over by something shorter',
    does: (store) => {
      store.table('note').insert({ id: 'b', text: secret('before') })
      store.table('note').set('b', 'text', '<after>')
    },
    left: ['after', 'kept'],
  },
  {
    what: 'was undone',
    does: (store) => {
      store.table('note').insert({ id: 'b', text: secret('undone') })
      store.history.undo()
    },
  },
  {
    what: 'a transaction that threw has written',
    does: (store) =>
      expect(() =>
        store.transaction(() => {
          store.table('note').insert({ id: 'b', text: secret('thrown') })
          throw new Error('no')
        }),
      ).toThrow('no'),
  },
  {
    what: 'plain SQL has deleted',
    does: (store) => {
      store.table('note').insert({ id: 'b', text: secret('deleted') })
      store.exec(sql`DELETE FROM note WHERE id = 'b'`)
    },
  },
  {
    what: 'was there before an import',
    does: async (store) => {
      const other = await createStore({ schema, data: { note: [{ id: 'a', text: secret('kept') }] } })
      store.table('note').set('a', 'text', secret('replaced'))
      store.import(other.export())
      await other.close()
    },
  },
]

describeEachDriver('a file that leaves', (driver) => {
  async function open(factory: SqliteDriverFactory = driver()) {
    return createStore({ schema, driver: factory, data: { note: [{ id: 'a', text: secret('kept') }] } })
  }

  test.for(cases)('does not hold what $what', async ({ does, left = ['kept'] }) => {
    const store = await open()
    await does(store)
    const bytes = store.export()
    expect(wordsIn(bytes)).toEqual(left)
    const read = await createStore({ schema, driver: driver(), data: bytes })
    expect(wordsIn(Buffer.from(JSON.stringify(read.table('note').all())))).toEqual(left)
    // Nor does one that is opened on it, and exports it again.
    expect(wordsIn(read.export())).toEqual(left)
    await read.close()
    await store.close()
  })

  test('does not hold a table that a migration has dropped, nor a property', async () => {
    const before = await createStore({
      schema: defineSchema({ version: 1, tables: { ...tables, old: table } }),
      driver: driver(),
      data: { note: [{ id: 'a', text: secret('kept') }], old: [{ id: 'a', text: secret('dropped') }] },
    })
    const file = before.export()
    expect(wordsIn(file)).toEqual(['dropped', 'kept'])
    await before.close()
    const second = defineSchema({ version: 2, tables, migrations: { 2: () => undefined } })
    const after = await createStore({ schema: second, driver: driver(), data: file })
    expect(wordsIn(after.export())).toEqual(['kept'])
    await after.close()
  })

  test('does not hold what the server has refused, nor by which id anything is sent', async () => {
    const core = await openServer()
    const other = await openScene(core)
    other.table('note').insert({ id: 1, slug: 'taken' })
    await settled(other)
    // Without the notes nobody here sees that it is taken.
    const store = await createStore({
      schema: sceneSchema,
      driver: driver(),
      sync: { transport: memoryTransport(core.accept), database: 'scene', subscribe: [{ table: 'layer' }] },
    })
    await settled(store)
    store.transaction(() => {
      store.table('layer').insert({ id: 'a', name: secret('refused') })
      store.table('note').insert({ id: 2, slug: 'taken' })
    })
    store.table('layer').insert({ id: 'b', name: secret('pending') })
    const ids = (await firstValueFrom(store.sync.pending$)).map(({ id }) => id)
    expect(ids).toHaveLength(2)
    expect(wordsIn(store.export())).toEqual(['pending', 'refused'])
    await settled(store)
    expect(await firstValueFrom(store.sync.rejected$)).toHaveLength(1)
    const file = store.export()
    expect(wordsIn(file)).toEqual(['pending'])
    for (const id of ids) expect(Buffer.from(file).includes(id)).toBe(false)
    for (const one of [store, other]) await one.close()
    await core.close()
  })

  test('a copy that stays here is written anew once a quarter of it lies idle', async () => {
    const store = await open()
    for (let n = 0; n < 50; n++) store.table('note').insert({ id: `n${n}`, text: `${n}${secret('deleted')}` })
    const full = internals(store as never).exportFile().length
    for (let n = 0; n < 50; n++) store.table('note').delete(`n${n}`)
    expect(internals(store as never).exportFile().length).toBeLessThan(full / 10)
    await store.close()
  })
})
