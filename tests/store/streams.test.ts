import {
  createStore,
  defineSchema,
  StoreClosedError,
  type ChangeSet,
  type SqliteDriverFactory,
  type TableChange,
} from 'rowcast'
import type { Observable } from 'rxjs'
import { afterEach, expect, test, vi } from 'vitest'
import { countingDriver, describeEachDriver } from '../support/each-driver.ts'

const schema = defineSchema({
  version: 1,
  tables: {
    item: {
      primaryKey: 'id',
      references: { parent: { table: 'item', onDelete: 'cascade' } },
      schema: {
        type: 'object',
        required: ['id'],
        properties: {
          id: { type: 'string' },
          parent: { type: ['string', 'null'] },
          rank: { type: 'integer', default: 0 },
          text: {
            type: 'object',
            properties: {
              value: { type: 'string', default: '' },
              font: {
                type: 'object',
                properties: { size: { type: 'number', default: 12 }, family: { type: 'string', default: 'serif' } },
              },
            },
          },
          points: {
            type: 'array',
            items: { type: 'object', required: ['x'], properties: { x: { type: 'number' }, y: { type: 'number' } } },
          },
        },
      },
    },
    scene: {
      singleton: true,
      schema: {
        type: 'object',
        properties: { zoom: { type: 'number', default: 1 }, title: { type: 'string', default: '' } },
      },
    },
  },
})

const open = (driver: SqliteDriverFactory) => createStore({ schema, driver })

/** Collects what is thrown where nobody can catch it, while `run` runs and the queues empty. */
async function uncaughtWhile(run: () => void): Promise<unknown[]> {
  const found: unknown[] = []
  const others = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException')
  const listener = (error: unknown): void => void found.push(error)
  process.on('uncaughtException', listener)
  try {
    run()
    // RxJS reports by a timer of 0, the queue by a microtask: a later timer and immediate come after both.
    await new Promise((resolve) => setTimeout(resolve, 0))
    await new Promise((resolve) => setImmediate(resolve))
  } finally {
    process.off('uncaughtException', listener)
    for (const other of others) process.on('uncaughtException', other)
  }
  return found
}

function isDeepFrozen(value: unknown): boolean {
  return (
    typeof value !== 'object' || value === null || (Object.isFrozen(value) && Object.values(value).every(isDeepFrozen))
  )
}

afterEach(() => void vi.restoreAllMocks())

describeEachDriver('streams', (driver) => {
  test('give one ChangeSet per outermost transaction, net per row, after it has committed', async () => {
    const store = await open(driver())
    const items = store.table('item')
    items.insert([
      { id: 'a', rank: 1 },
      { id: 'b', rank: 2 },
      { id: 'c', rank: 3 },
    ])
    const visible: ChangeSet[] = []
    const committed: ChangeSet[] = []
    store.changes$.subscribe((set) => visible.push(set))
    store.commits$.subscribe((set) => committed.push(set))
    store.transaction(() => {
      items.set('a', 'rank', 5)
      items.set('a', 'rank', 6)
      items.set('a', 'text.font.size', 20)
      items.set('a', 'text.font.size', 12)
      items.insert({ id: 'x' })
      items.delete('x')
      items.delete('b')
      items.insert({ id: 'b', rank: 2, text: { value: 'new' } })
      items.delete('c')
      items.insert({ id: 'd' })
      items.set('d', 'rank', 9)
      expect(visible).toEqual([])
    })
    const changes = [
      { table: 'item', key: 'a', op: 'update', before: { rank: 1 }, after: { rank: 6 } },
      { table: 'item', key: 'b', op: 'update', before: { 'text.value': '' }, after: { 'text.value': 'new' } },
      { table: 'item', key: 'c', op: 'delete', before: { id: 'c', rank: 3 }, after: {} },
      { table: 'item', key: 'd', op: 'insert', before: {}, after: { id: 'd', rank: 9 } },
    ]
    for (const sets of [visible, committed]) {
      expect(sets).toHaveLength(1)
      expect(sets[0]?.origin).toBe('local')
      expect([...(sets[0]?.changes ?? [])].toSorted((a, b) => (String(a.key) < String(b.key) ? -1 : 1))).toEqual(
        changes,
      )
    }
  })

  test('are told the net of rows that swapped their keys', async () => {
    const store = await open(driver())
    const items = store.table('item')
    items.insert([
      { id: 'a', rank: 1 },
      { id: 'b', rank: 2 },
    ])
    const sets: ChangeSet[] = []
    store.changes$.subscribe((set) => sets.push(set))
    const seen: unknown[] = []
    items.field$('a', 'rank').subscribe((rank) => seen.push(rank))
    store.transaction(() => {
      store.exec({ sql: "update item set id = 'tmp' where id = 'a'" })
      store.exec({ sql: "update item set id = 'a' where id = 'b'" })
      store.exec({ sql: "update item set id = 'b' where id = 'tmp'" })
    })
    expect(items.all()).toEqual([
      { id: 'a', rank: 2, text: { value: '', font: { size: 12, family: 'serif' } } },
      { id: 'b', rank: 1, text: { value: '', font: { size: 12, family: 'serif' } } },
    ])
    expect(sets).toHaveLength(1)
    expect([...(sets[0]?.changes ?? [])].toSorted((a, b) => (String(a.key) < String(b.key) ? -1 : 1))).toEqual([
      { table: 'item', key: 'a', op: 'update', before: { rank: 1 }, after: { rank: 2 } },
      { table: 'item', key: 'b', op: 'update', before: { rank: 2 }, after: { rank: 1 } },
    ])
    expect(seen).toEqual([1, 2])
  })

  test('never tell of what was rolled back', async () => {
    const store = await open(driver())
    const items = store.table('item')
    items.insert({ id: 'a' })
    const heard: unknown[] = []
    store.changes$.subscribe((set) => heard.push(set))
    items.changes$.subscribe((change) => heard.push(change))
    items.row$('a').subscribe((row) => heard.push(row?.rank))
    items.field$('a', 'rank').subscribe((rank) => heard.push(rank))
    heard.length = 0
    expect(() =>
      store.transaction(() => {
        items.set('a', 'rank', 1)
        throw new Error('no')
      }),
    ).toThrow('no')
    expect(() => items.insert([{ id: 'b' }, { id: 'a' }])).toThrow()
    expect(heard).toEqual([])
  })

  test('end on the committed state for one who subscribed while a transaction ran that was undone', async () => {
    const store = await open(driver())
    const items = store.table('item')
    items.insert({ id: 'a', rank: 1 })
    const ranks: unknown[] = []
    const rows: unknown[] = []
    expect(() =>
      store.transaction(() => {
        items.set('a', 'rank', 2)
        items.field$('a', 'rank').subscribe((rank) => ranks.push(rank))
        items.row$('a').subscribe((row) => rows.push(row?.rank))
        throw new Error('no')
      }),
    ).toThrow('no')
    expect(ranks.at(-1)).toBe(1)
    expect(rows.at(-1)).toBe(1)
  })

  test('tell one who writes to the row in the first thing it is told of what it wrote', async () => {
    const store = await open(driver())
    const items = store.table('item')
    items.insert({ id: 'a', rank: 1 })
    const ranks: unknown[] = []
    items.field$('a', 'rank').subscribe((rank) => {
      ranks.push(rank)
      if (rank === 1) items.set('a', 'rank', 2)
    })
    const rows: unknown[] = []
    items.row$('a').subscribe((row) => {
      rows.push(row?.rank)
      if (row?.rank === 2) items.set('a', 'rank', 3)
    })
    expect(rows).toEqual([2, 3])
    expect(ranks).toEqual([1, 2, 3])
  })

  test('queue what a subscriber writes, in order and without recursion', async () => {
    const store = await open(driver())
    const items = store.table('item')
    const log: string[] = []
    let depth = 0
    store.changes$.subscribe((set) => {
      depth++
      expect(depth).toBe(1)
      const key = String(set.changes[0]?.key)
      log.push(`first ${key}`)
      if (key.length < 3) {
        items.insert({ id: `${key}l` })
        items.insert({ id: `${key}r` })
      }
      depth--
    })
    store.changes$.subscribe((set) => log.push(`second ${String(set.changes[0]?.key)}`))
    items.insert({ id: 'a' })
    const order = ['a', 'al', 'ar', 'all', 'alr', 'arl', 'arr']
    expect(log).toEqual(order.flatMap((key) => [`first ${key}`, `second ${key}`]))
    expect(items.keys()).toEqual([...order].toSorted())
  })

  test('take a chain of 20,000 writes by subscribers without a deep stack', async () => {
    const store = await open(driver())
    const items = store.table('item')
    items.insert({ id: 'a' })
    items.field$('a', 'rank').subscribe((rank) => {
      if (rank !== undefined && rank > 0 && rank < 20_000) items.set('a', 'rank', rank + 1)
    })
    items.set('a', 'rank', 1)
    expect(items.get('a')?.rank).toBe(20_000)
  })

  test('go on to the others when one subscriber throws, and its error surfaces', async () => {
    const store = await open(driver())
    const items = store.table('item')
    items.insert({ id: 'a' })
    const heard: string[] = []
    let armed = false
    const boom = (name: string) => (): void => {
      if (armed) throw new Error(name)
    }
    store.changes$.subscribe(boom('changes'))
    items.changes$.subscribe(boom('table'))
    items.row$('a').subscribe(boom('row'))
    items.field$('a', 'rank').subscribe(boom('field'))
    store.changes$.subscribe(() => heard.push('changes'))
    store.commits$.subscribe(() => heard.push('commits'))
    items.changes$.subscribe(() => heard.push('table'))
    items.row$('a').subscribe(() => heard.push('row'))
    items.field$('a', 'rank').subscribe(() => heard.push('field'))
    heard.length = 0
    armed = true
    const uncaught = await uncaughtWhile(() => items.set('a', 'rank', 1))
    expect([...heard].toSorted()).toEqual(['changes', 'commits', 'field', 'row', 'table'])
    expect(uncaught.map((error) => (error as Error).message).toSorted()).toEqual(['changes', 'field', 'row', 'table'])
    heard.length = 0
    armed = false
    items.set('a', 'rank', 2)
    expect([...heard].toSorted()).toEqual(['changes', 'commits', 'field', 'row', 'table'])
  })

  test('surface what onCommit throws, and go on', async () => {
    const store = await open(driver())
    const ran: string[] = []
    const uncaught = await uncaughtWhile(() =>
      store.transaction((tx) => {
        tx.onCommit(() => {
          throw new Error('first')
        })
        tx.onCommit(() => ran.push('second'))
        store.table('item').insert({ id: 'a' })
      }),
    )
    expect(ran).toEqual(['second'])
    expect(uncaught.map((error) => (error as Error).message)).toEqual(['first'])
    expect(store.table('item').has('a')).toBe(true)
  })

  test('notify only those whom a change concerns, however many subscribe', async () => {
    const counted = countingDriver(driver())
    const store = await open(counted.driver)
    const items = store.table('item')
    const keys = Array.from({ length: 10_000 }, (_, n) => `k${String(n).padStart(5, '0')}`)
    items.insert(keys.map((id) => ({ id })))
    const calls: string[] = []
    const timers = [
      vi.spyOn(globalThis, 'setTimeout'),
      vi.spyOn(globalThis, 'setInterval'),
      vi.spyOn(globalThis, 'setImmediate'),
      vi.spyOn(globalThis, 'queueMicrotask'),
      vi.spyOn(process, 'nextTick'),
    ]
    Object.assign(counted.work, { reads: 0, runs: 0, prepares: 0 })
    const subscriptions = keys.map((key) => items.row$(key).subscribe(() => calls.push(key)))
    const subscribing = { ...counted.work }
    calls.length = 0
    Object.assign(counted.work, { reads: 0, runs: 0, prepares: 0 })
    for (const subscription of subscriptions.splice(5_000)) subscription.unsubscribe()
    const unsubscribing = { ...counted.work }
    Object.assign(counted.work, { reads: 0, runs: 0, prepares: 0 })
    items.set('k00007', 'rank', 1)
    const changing = { ...counted.work }
    items.set('k07000', 'rank', 1)
    items.set('k00007', 'rank', 1)
    store.transaction(() => {
      items.set('k00001', 'rank', 1)
      items.set('k00002', 'rank', 1)
      items.set('k00001', 'rank', 2)
    })
    for (const spy of timers) expect(spy).not.toHaveBeenCalled()
    // A row is found and read: two statements at the very most, prepared once.
    expect(subscribing.reads).toBeLessThanOrEqual(2 * keys.length)
    expect(subscribing.runs).toBe(0)
    expect(subscribing.prepares).toBeLessThanOrEqual(2)
    expect(unsubscribing).toEqual({ reads: 0, runs: 0, prepares: 0 })
    expect(changing.reads).toBeLessThanOrEqual(2)
    expect(calls).toEqual(['k00007', 'k00001', 'k00002'])
    Object.assign(counted.work, { reads: 0, runs: 0, prepares: 0 })
    for (const key of keys.slice(0, 5_000)) items.row$(key).subscribe().unsubscribe()
    expect(counted.work.reads).toBeLessThanOrEqual(5_000)
  })

  test('follow a field by its path, within arrays too, and tell no more than its changes', async () => {
    const store = await open(driver())
    const items = store.table('item')
    items.insert({ id: 'a', points: [{ x: 1 }, { x: 2, y: 3 }] })
    const seen: Record<string, unknown[]> = { size: [], x1: [], font: [], points: [], gone: [], segments: [] }
    items.field$('a', 'text.font.size').subscribe((value) => seen['size']?.push(value))
    items.field$('a', 'points.1.x').subscribe((value) => seen['x1']?.push(value))
    items.field$('a', ['points', 1, 'x']).subscribe((value) => seen['segments']?.push(value))
    items.field$('a', 'text.font').subscribe((value) => seen['font']?.push(value))
    items.field$('a', 'points').subscribe((value) => seen['points']?.push(value))
    items.field$('b', 'rank').subscribe((value) => seen['gone']?.push(value))
    items.set('a', 'points.0.x', 9)
    items.set('a', 'rank', 1)
    items.set('a', 'text.font.family', 'sans')
    items.set('a', 'points.1.x', 7)
    items.set('a', 'points.1.x', 7)
    items.update('a', (row) => {
      row.points = row.points?.map((point) => ({ ...point })) ?? []
    })
    store.exec({ sql: 'update item set text_font_size = 30, points = \'[{"x":9},{"x":8}]\' where id = \'a\'' })
    items.insert({ id: 'b', rank: 4 })
    items.delete('b')
    items.set('a', 'points', [])
    items.reset('a', 'text.font.size')
    const serif = { size: 12, family: 'serif' }
    expect(seen).toEqual({
      size: [12, 30, 12],
      x1: [2, 7, 8, undefined],
      segments: [2, 7, 8, undefined],
      font: [serif, { size: 12, family: 'sans' }, { size: 30, family: 'sans' }, { size: 12, family: 'sans' }],
      points: [
        [{ x: 1 }, { x: 2, y: 3 }],
        [{ x: 9 }, { x: 2, y: 3 }],
        [{ x: 9 }, { x: 7, y: 3 }],
        [{ x: 9 }, { x: 8 }],
        [],
      ],
      gone: [undefined, 4, undefined],
    })
  })

  test('give rows that are deep-frozen, the same until they change, and share what did not change', async () => {
    const store = await open(driver())
    const items = store.table('item')
    items.insert([{ id: 'a', points: [{ x: 1 }, { x: 2 }] }, { id: 'b' }])
    const before = items.get('a')
    const other = items.get('b')
    expect(items.get('a')).toBe(before)
    expect(items.all()[0]).toBe(before)
    expect(items.find({ where: { id: 'a' } })[0]).toBe(before)
    expect(isDeepFrozen(before)).toBe(true)
    items.set('a', 'text.value', 'x')
    const after = items.get('a')
    expect(after).not.toBe(before)
    expect(after?.points).toBe(before?.points)
    expect(after?.text?.font).toBe(before?.text?.font)
    expect(items.get('b')).toBe(other)
    items.set('a', 'points.0.x', 5)
    const moved = items.get('a')
    expect(moved?.points?.[1]).toBe(after?.points?.[1])
    expect(moved?.points?.[0]).not.toBe(after?.points?.[0])
    expect(moved?.text).toBe(after?.text)
    items.upsert({ id: 'a', text: { value: 'x' }, points: [{ x: 5 }, { x: 2 }] })
    expect(items.get('a')).toBe(moved)
    store.exec({ sql: "update item set rank = 4 where id = 'a'" })
    expect(items.get('a')?.points).toBe(moved?.points)
    expect(items.get('a')?.text).toBe(moved?.text)
    items.update('a', { parent: 'b' })
    expect(items.get('a')?.points).toBe(moved?.points)
    items.update('a', { parent: null })
    expect(items.get('a')?.points).toBe(moved?.points)
    expect(isDeepFrozen(items.get('a'))).toBe(true)
    expect(isDeepFrozen(items.all())).toBe(false)
  })

  test('give ChangeSets that a subscriber can not change', async () => {
    const store = await open(driver())
    const sets: ChangeSet[] = []
    store.changes$.subscribe((set) => sets.push(set))
    store.table('item').insert({ id: 'a', points: [{ x: 1 }] })
    store.table('item').set('a', 'points.0.x', 2)
    expect(sets.every(isDeepFrozen)).toBe(true)
    expect(store.table('item').get('a')?.points).toEqual([{ x: 2 }])
  })

  test('give the changes of one table sorted by kind, and nothing of others', async () => {
    const store = await open(driver())
    const items = store.table('item')
    items.insert([{ id: 'a' }, { id: 'b' }])
    const heard: TableChange[] = []
    items.changes$.subscribe((change) => heard.push(change))
    store.value('scene').set('zoom', 2)
    expect(heard).toEqual([])
    store.transaction(() => {
      items.insert({ id: 'c' })
      items.set('a', 'rank', 1)
      items.delete('b')
      store.value('scene').set('zoom', 3)
    })
    expect(heard).toEqual([
      {
        inserted: [{ table: 'item', key: 'c', op: 'insert', before: {}, after: { id: 'c' } }],
        updated: [{ table: 'item', key: 'a', op: 'update', before: { rank: 0 }, after: { rank: 1 } }],
        deleted: [{ table: 'item', key: 'b', op: 'delete', before: { id: 'b' }, after: {} }],
      },
    ])
  })

  test('give a singleton now and at each change, with its defaults before anyone has written it', async () => {
    const store = await open(driver())
    const scene = store.value('scene')
    const values: unknown[] = []
    const zooms: unknown[] = []
    scene.value$.subscribe((value) => values.push(value))
    scene.field$('zoom').subscribe((zoom) => zooms.push(zoom))
    scene.set('zoom', 2)
    scene.update({ title: 'x' })
    scene.reset()
    expect(values).toEqual([
      { zoom: 1, title: '' },
      { zoom: 2, title: '' },
      { zoom: 2, title: 'x' },
      { zoom: 1, title: '' },
    ])
    expect(zooms).toEqual([1, 2, 1])
  })

  test('tell every row that a cascade takes', async () => {
    const store = await open(driver())
    const items = store.table('item')
    items.insert([{ id: 'a' }, { id: 'b', parent: 'a' }, { id: 'c', parent: 'b' }])
    const rows: unknown[] = []
    items.row$('c').subscribe((row) => rows.push(row?.id))
    const sets: ChangeSet[] = []
    store.changes$.subscribe((set) => sets.push(set))
    expect(items.delete('a')).toBe(1)
    expect(sets.map((set) => set.changes.map(({ key, op }) => `${op} ${String(key)}`).toSorted())).toEqual([
      ['delete a', 'delete b', 'delete c'],
    ])
    expect(rows).toEqual(['c', undefined])
  })

  test('complete when the store closes, and nothing can be done with it afterwards', async () => {
    const store = await open(driver())
    const items = store.table('item')
    items.insert({ id: 'a' })
    const scene = store.value('scene')
    const draft = store.draft()
    const completed: string[] = []
    const live = items.live()
    const sqlLive = store.live({ sql: 'select id from item' })
    const streams: Record<string, Observable<unknown>> = {
      changes: store.changes$,
      commits: store.commits$,
      table: items.changes$,
      row: items.row$('a'),
      field: items.field$('a', 'rank'),
      value: scene.value$,
      live: live.rows$,
      sqlLive: sqlLive.rows$,
      dirty: draft.isDirty$,
      conflicts: draft.conflicts$,
      undo: store.history.canUndo$,
      steps: store.history.steps$,
    }
    for (const [name, stream] of Object.entries(streams)) stream.subscribe({ complete: () => completed.push(name) })
    await store.close()
    await store.close()
    expect(store.closed).toBe(true)
    expect([...completed].toSorted()).toEqual(Object.keys(streams).toSorted())
    const calls: Record<string, () => unknown> = {
      get: () => items.get('a'),
      has: () => items.has('a'),
      keys: () => items.keys(),
      all: () => items.all(),
      count: () => items.count(),
      find: () => items.find(),
      live: () => items.live(),
      insert: () => items.insert({ id: 'b' }),
      upsert: () => items.upsert({ id: 'b' }),
      update: () => items.update('a', { rank: 1 }),
      updateMany: () => items.updateMany(['a'], { rank: 1 }),
      set: () => items.set('a', 'rank', 1),
      reset: () => items.reset('a'),
      delete: () => items.delete('a'),
      insertNone: () => items.insert([]),
      deleteNone: () => items.delete([]),
      updateNone: () => items.updateMany([], {}),
      table: () => store.table('item'),
      value: () => store.value('scene'),
      sceneGet: () => scene.get(),
      sceneSet: () => scene.set('zoom', 2),
      query: () => store.query({ sql: 'select 1 as one' }),
      exec: () => store.exec({ sql: 'delete from item' }),
      sqlLive: () => store.live({ sql: 'select 1 as one' }),
      transaction: () => store.transaction(() => undefined),
      draft: () => store.draft(),
      undo: () => store.history.undo(),
      redo: () => store.history.redo(),
      export: () => store.export(),
      import: () => store.import(new Uint8Array()),
      attach: () => store.attach('x', new Uint8Array()),
      draftCommit: () => draft.commit(),
      draftTable: () => draft.table('item').set('a', 'rank', 3),
      draftQuery: () => draft.query({ sql: 'select 1 as one' }),
      liveRows: () => live.rows,
      sqlLiveRows: () => sqlLive.rows,
    }
    for (const [name, call] of Object.entries(calls)) expect(call, name).toThrow(StoreClosedError)
  })

  test('end at once for one who subscribes after the store was closed', async () => {
    const store = await open(driver())
    const items = store.table('item')
    const streams: Record<string, Observable<unknown>> = {
      changes: store.changes$,
      commits: store.commits$,
      table: items.changes$,
      row: items.row$('a'),
      field: items.field$('a', 'rank'),
    }
    await store.close()
    for (const [name, stream] of Object.entries(streams)) {
      const ends: unknown[] = []
      stream.subscribe({ error: (error: unknown) => ends.push(error), complete: () => ends.push('complete') })
      expect(ends, name).toHaveLength(1)
    }
  })

  test('are closed from within a subscriber without harm', async () => {
    const store = await open(driver())
    const completed: string[] = []
    store.changes$.subscribe(() => void store.close())
    store.commits$.subscribe({ complete: () => completed.push('commits') })
    store
      .table('item')
      .row$('a')
      .subscribe({ complete: () => completed.push('row') })
    const uncaught = await uncaughtWhile(() => void store.table('item').insert({ id: 'a' }))
    expect(uncaught).toEqual([])
    expect(store.closed).toBe(true)
    expect([...completed].toSorted()).toEqual(['commits', 'row'])
  })
})
