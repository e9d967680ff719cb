import { createStore, sql, type ChangeSet } from 'rowcast'
import { expect, test, vi } from 'vitest'
import { armedDriver } from '../support/armed-driver.ts'
import { describeEachDriver } from '../support/each-driver.ts'
import { InjectedFault } from '../support/faulty-driver.ts'
import { modelSchema } from '../support/store-model.ts'

const ROWS = {
  layer: [{ id: 'l1' }, { id: 'l2', name: 'old' }],
  item: [
    { id: 'a', slug: 'sa', rank: 1, a: 'l1', points: [1] },
    { id: 'b', slug: 'sb', rank: 2, b: 'l2', text: { note: 'n' } },
    { id: 'c', slug: 'sc', c: 'l2' },
  ],
}

async function openWith(armed: ReturnType<typeof armedDriver>) {
  const store = await createStore({ schema: modelSchema, driver: armed.factory, data: ROWS })
  return { store, items: store.table('item'), layers: store.table('layer') }
}

type Opened = Awaited<ReturnType<typeof openWith>>

/** What one does, after what was prepared for it. */
const scenarios: readonly (readonly [name: string, prepare: (opened: Opened) => () => unknown])[] = [
  [
    'a transaction of five writes',
    ({ store, items, layers }) =>
      () =>
        store.transaction(() => {
          items.insert({ id: 'd', slug: 'sd', a: 'l1' })
          items.set('a', 'rank', 7)
          store.exec(sql`update item set rank = rank + 1, text_note = 'x' where rank > 0`)
          layers.delete('l1')
          items.update('b', { text: { note: 'y' }, points: [3] })
        }),
  ],
  [
    'a single set',
    ({ items }) =>
      () =>
        items.set('a', 'rank', 7),
  ],
  [
    'a nested transaction',
    ({ store, items }) =>
      () =>
        store.transaction(() => {
          items.set('a', 'rank', 7)
          store.transaction(() => items.delete('b'))
        }),
  ],
  [
    'raw SQL',
    ({ store }) =>
      () =>
        store.exec(sql`replace into item (id, slug) select id || '1', slug from item`),
  ],
  [
    'a draft commit',
    ({ store }) => {
      const [draft, other] = [store.draft(), store.draft()]
      draft.table('item').update('a', { slug: 'new', rank: 5 })
      other.table('item').set('a', 'rank', 6)
      draft.table('item').set('b', 'slug', 'sa')
      draft.table('item').insert({ id: 'd' })
      return () => draft.commit()
    },
  ],
  [
    'a draft cancel',
    ({ store }) => {
      const draft = store.draft()
      draft.table('item').update('a', { slug: 'tmp', rank: 5 })
      draft.table('item').set('b', 'slug', 'sa')
      draft.table('item').set('a', 'slug', 'sb')
      draft.table('item').insert({ id: 'd' })
      draft.table('layer').delete('l1')
      return () => draft.cancel()
    },
  ],
  [
    'a write of a draft',
    ({ store }) => {
      const draft = store.draft()
      draft.table('item').set('a', 'rank', 5)
      return () => draft.table('item').update('a', { rank: 6, text: { note: 'z' } })
    },
  ],
  [
    'a write that takes a cell from a draft',
    ({ store, items }) => {
      const draft = store.draft()
      draft.table('item').set('a', 'rank', 5)
      return () => items.set('a', 'rank', 6)
    },
  ],
  [
    'an undo',
    ({ store, items, layers }) => {
      store.transaction(() => {
        layers.delete('l1')
        items.set('b', 'rank', 9)
        items.insert({ id: 'd' })
      })
      return () => store.history.undo()
    },
  ],
  [
    'a redo',
    ({ store, layers }) => {
      layers.delete('l1')
      store.history.undo()
      return () => store.history.redo()
    },
  ],
]

describeEachDriver('a fault', (driver) => {
  const all = ({ store }: Opened) => ({
    layer: store.query(sql`select * from layer order by id`),
    item: store.query(sql`select * from item order by id`),
    rows: [store.table('layer').all(), store.table('item').all()],
    keys: store.table('item').keys(),
    canUndo: store.history.canUndo,
    canRedo: store.history.canRedo,
  })

  /** What another program would read, drafts aside. */
  async function itemsOnFile(store: Opened['store']): Promise<readonly object[]> {
    const reopened = await createStore({ schema: modelSchema, driver: driver(), data: store.export() })
    const rows = reopened.table('item').all()
    await reopened.close()
    return rows
  }

  async function injectEverywhere(
    prepare: (opened: Opened) => (() => unknown) | Promise<() => unknown>,
  ): Promise<number> {
    for (let n = 1; ; n++) {
      const armed = armedDriver(driver())
      const opened = await openWith(armed)
      const { store, items } = opened
      const act = await prepare(opened)
      const before = all(opened)
      const objects = items.all()
      const heard: unknown[] = []
      store.changes$.subscribe((set) => heard.push(set))
      store.commits$.subscribe((set) => heard.push(set))
      items.changes$.subscribe((change) => heard.push(change))
      const rows: unknown[] = []
      items.row$('a').subscribe((row) => rows.push(row))
      items.field$('a', 'rank').subscribe((value) => rows.push(value))
      const seen = rows.length
      // What goes wrong while subscribers are told surfaces as an uncaught error, which would end this test.
      const uncaught: (() => void)[] = []
      const microtasks = vi.spyOn(globalThis, 'queueMicrotask').mockImplementation((run) => void uncaught.push(run))
      armed.arm(n)
      let thrown: unknown
      try {
        act()
      } catch (error) {
        thrown = error
      }
      microtasks.mockRestore()
      if (!armed.disarm()) {
        expect(thrown).toBeUndefined()
        expect(heard.length).toBeGreaterThan(0)
        return n - 1
      }
      const at = `fault at call ${n}`
      if (thrown === undefined) {
        // It met what comes after the commit: then all of it has been done, and told.
        expect(heard.length, at).toBeGreaterThan(0)
        for (const surface of uncaught) expect(surface, at).toThrow(InjectedFault)
        expect(uncaught.length, at).toBeGreaterThan(0)
        expect(all(opened), at).not.toEqual(before)
        expect(items.all(), at).toEqual(await itemsOnFile(store))
        await store.close()
        continue
      }
      expect(heard, at).toEqual([])
      expect(rows, at).toHaveLength(seen)
      expect(all(opened), at).toEqual(before)
      for (const [k, row] of items.all().entries()) expect(row, at).toBe(objects[k])
      // It works afterwards: a write, and the very thing that had failed.
      const sets: ChangeSet[] = []
      store.changes$.subscribe((set) => sets.push(set))
      store.table('layer').insert({ id: 'after' })
      expect(
        sets.map((set) => set.changes.length),
        at,
      ).toEqual([1])
      store.table('layer').delete('after')
      store.history.undo()
      store.history.undo()
      const again = all(opened)
      expect([again.layer, again.item], at).toEqual([before.layer, before.item])
      const reopened = await createStore({ schema: modelSchema, driver: driver(), data: store.export() })
      expect(reopened.table('layer').has('after')).toBe(false)
      await reopened.close()
      await store.close()
    }
  }

  test.each(scenarios)(
    'at any call of %s leaves everything as it was, tells nobody, and the store goes on',
    async (_, prepare) => {
      expect(await injectEverywhere(prepare)).toBeGreaterThan(0)
    },
  )

  test('at any call of an import leaves everything as it was, tells nobody, and the store goes on', async () => {
    const other = await createStore({
      schema: modelSchema,
      driver: driver(),
      data: {
        layer: [{ id: 'l1' }],
        item: [
          { id: 'a', slug: 'sb' },
          { id: 'z', a: 'l1' },
        ],
      },
    })
    const bytes = other.export()
    expect(
      await injectEverywhere(
        ({ store }) =>
          () =>
            store.import(bytes),
      ),
    ).toBeGreaterThan(0)
  })

  test('at any call of a draft commit leaves the draft open, to be committed again', async () => {
    for (let n = 1; ; n++) {
      const armed = armedDriver(driver())
      const { store, items } = await openWith(armed)
      const draft = store.draft()
      draft.table('item').update('a', { slug: 'new', rank: 5 })
      const net = draft.changes()
      armed.arm(n)
      let failed = false
      try {
        draft.commit()
      } catch {
        failed = true
      }
      if (!armed.disarm()) return expect(n).toBeGreaterThan(1)
      expect(failed).toBe(true)
      expect(draft.state).toBe('open')
      expect(draft.changes()).toEqual(net)
      draft.commit()
      expect(items.get('a')).toMatchObject({ slug: 'new', rank: 5 })
      await store.close()
    }
  })

  test('at any call of createStore gives no store, and the file that it was given is whole', async () => {
    const old = await createStore({ schema: modelSchema, driver: driver(), data: ROWS })
    const bytes = old.export()
    for (const data of [ROWS, bytes]) {
      for (let n = 1; ; n++) {
        const armed = armedDriver(driver())
        armed.arm(n)
        const opened = await createStore({ schema: modelSchema, driver: armed.factory, data }).then(
          (store) => ({ store }),
          () => undefined,
        )
        const fired = armed.disarm()
        expect(opened === undefined, `fault at call ${n}`).toBe(fired)
        if (!fired) {
          expect(n).toBeGreaterThan(1)
          expect(opened?.store.table('item').all()).toEqual(old.table('item').all())
          break
        }
      }
    }
    const again = await createStore({ schema: modelSchema, driver: driver(), data: bytes })
    expect(again.table('item').all()).toEqual(old.table('item').all())
  })
})
