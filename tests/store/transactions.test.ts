import {
  createStore,
  defineSchema,
  TransactionError,
  ValidationError,
  type ChangeSet,
  type SqliteDriverFactory,
  type Transaction,
} from 'rowcast'
import { expect, test } from 'vitest'
import { describeEachDriver } from '../support/each-driver.ts'

const schema = defineSchema({
  version: 1,
  tables: {
    item: {
      primaryKey: 'id',
      schema: {
        type: 'object',
        required: ['id'],
        properties: {
          id: { type: 'string' },
          rank: { type: 'integer', minimum: 0, default: 0 },
          tags: { type: 'array', items: { type: 'string' } },
        },
      },
    },
  },
})

const open = (driver: SqliteDriverFactory) => createStore({ schema, driver })

describeEachDriver('a transaction', (driver) => {
  test('returns what its function returns and gives one ChangeSet with label and tag', async () => {
    const store = await open(driver())
    const sets: ChangeSet[] = []
    store.changes$.subscribe((set) => sets.push(set))
    const result = store.transaction(
      () => {
        store.table('item').insert({ id: 'a' })
        store.table('item').set('a', 'rank', 3)
        expect(sets).toEqual([])
        return 42
      },
      { label: 'Add', tag: { from: 'test' } },
    )
    expect(result).toBe(42)
    expect(sets).toEqual([
      {
        origin: 'local',
        label: 'Add',
        tag: { from: 'test' },
        changes: [{ table: 'item', key: 'a', op: 'insert', before: {}, after: { id: 'a', rank: 3 } }],
      },
    ])
  })

  test('sees its own writes, and after a throw the very same row object as before', async () => {
    const store = await open(driver())
    const items = store.table('item')
    items.insert([{ id: 'a', rank: 1, tags: ['x'] }, { id: 'b' }])
    const before = items.get('a')
    const all = items.all()
    expect(() =>
      store.transaction(() => {
        items.set('a', 'rank', 2)
        expect(items.get('a')).toEqual({ id: 'a', rank: 2, tags: ['x'] })
        items.delete('b')
        expect(items.get('b')).toBeUndefined()
        items.insert({ id: 'c' })
        expect(items.count()).toBe(2)
        expect(store.query({ sql: 'select id, rank from item order by id' })).toEqual([
          { id: 'a', rank: 2 },
          { id: 'c', rank: 0 },
        ])
        throw new Error('no')
      }),
    ).toThrow('no')
    expect(items.get('a')).toBe(before)
    expect(items.all()).toEqual(all)
    expect(items.all()[0]).toBe(before)
    expect(items.has('c')).toBe(false)
  })

  test('undoes all of it at whichever step it throws', async () => {
    const store = await open(driver())
    const items = store.table('item')
    items.insert([
      { id: 'a', rank: 1 },
      { id: 'b', rank: 2, tags: ['q'] },
    ])
    const before = items.all()
    const heard: ChangeSet[] = []
    store.changes$.subscribe((set) => heard.push(set))
    const steps: (() => void)[] = [
      () => items.insert({ id: 'c' }),
      () => items.set('c', 'rank', 9),
      () => items.delete('a'),
      () => items.insert({ id: 'a', rank: 7 }),
      () =>
        items.update('b', (row) => {
          row.tags?.push('z')
        }),
      () => store.exec({ sql: 'update item set rank = rank + 1' }),
      () => store.transaction(() => items.upsert([{ id: 'b' }, { id: 'd' }])),
      () => store.exec({ sql: "update item set id = 'z' where id = 'a'" }),
      () => items.delete({ where: {} }),
    ]
    for (let stop = 0; stop <= steps.length; stop++) {
      expect(() =>
        store.transaction(() => {
          for (const step of steps.slice(0, stop)) step()
          throw new Error('stop')
        }),
      ).toThrow('stop')
      expect(items.all()).toEqual(before)
      expect(items.keys()).toEqual(['a', 'b'])
      expect(store.query({ sql: 'select id, rank, tags from item order by id' })).toEqual([
        { id: 'a', rank: 1, tags: null },
        { id: 'b', rank: 2, tags: '["q"]' },
      ])
    }
    expect(heard).toEqual([])
    expect(store.history.canUndo).toBe(true)
    store.history.undo()
    expect(items.all()).toEqual([])
  })

  test('is a savepoint within another: what a nested one did is undone alone', async () => {
    const store = await open(driver())
    const items = store.table('item')
    const sets: ChangeSet[] = []
    store.commits$.subscribe((set) => sets.push(set))
    store.transaction(() => {
      items.insert({ id: 'a' })
      expect(() =>
        store.transaction(() => {
          items.insert({ id: 'b' })
          items.set('a', 'rank', 5)
          store.transaction(() => items.insert({ id: 'c' }))
          throw new Error('inner')
        }),
      ).toThrow('inner')
      expect(items.all()).toEqual([{ id: 'a', rank: 0 }])
      items.insert({ id: 'd' })
    })
    expect(items.keys()).toEqual(['a', 'd'])
    expect(sets).toHaveLength(1)
    expect(sets[0]?.changes.map((change) => change.key)).toEqual(['a', 'd'])
  })

  test('undoes a nested one that ended well when the outer throws', async () => {
    const store = await open(driver())
    const sets: ChangeSet[] = []
    store.changes$.subscribe((set) => sets.push(set))
    expect(() =>
      store.transaction(() => {
        store.transaction(() => store.table('item').insert({ id: 'b' }))
        throw new Error('outer')
      }),
    ).toThrow('outer')
    expect(store.table('item').keys()).toEqual([])
    expect(sets).toEqual([])
  })

  test('runs onCommit and onRollback once, after the outermost has ended', async () => {
    const store = await open(driver())
    const log: string[] = []
    const watch = (tx: Transaction, name: string): void => {
      tx.onCommit(() => log.push(`${name} committed`))
      tx.onRollback(() => log.push(`${name} undone`))
    }
    store.changes$.subscribe(() => log.push('changes'))
    store.transaction((tx) => {
      watch(tx, 'outer')
      store.transaction((inner) => {
        watch(inner, 'inner')
        store.table('item').insert({ id: 'a' })
      })
      log.push('end')
    })
    expect(log.slice(0, 1)).toEqual(['end'])
    expect([...log].toSorted()).toEqual(['changes', 'end', 'inner committed', 'outer committed'])
    log.length = 0
    expect(() =>
      store.transaction((tx) => {
        watch(tx, 'outer')
        store.transaction((inner) => watch(inner, 'inner'))
        throw new Error('x')
      }),
    ).toThrow('x')
    expect([...log].toSorted()).toEqual(['inner undone', 'outer undone'])
  })

  test('tells a nested one that was undone so, and leaves its siblings committed', async () => {
    const store = await open(driver())
    const log: string[] = []
    const nested = (name: string, fail: boolean): void =>
      store.transaction((tx) => {
        tx.onCommit(() => log.push(`${name} committed`))
        tx.onRollback(() => log.push(`${name} undone`))
        store.table('item').insert({ id: name })
        if (fail) throw new Error(name)
      })
    store.transaction(() => {
      nested('first', false)
      expect(() => nested('second', true)).toThrow('second')
      nested('third', false)
    })
    expect(store.table('item').keys()).toEqual(['first', 'third'])
    expect([...log].toSorted()).toEqual(['first committed', 'second undone', 'third committed'])
  })

  test('keeps onCommit of an outer one that was registered after a nested one had failed', async () => {
    const store = await open(driver())
    const log: string[] = []
    store.transaction((tx) => {
      tx.onCommit(() => log.push('before'))
      expect(() =>
        store.transaction(() => {
          throw new Error('x')
        }),
      ).toThrow('x')
      tx.onCommit(() => log.push('after'))
    })
    expect(log).toEqual(['before', 'after'])
  })

  test('may write again in onCommit and in onRollback', async () => {
    const store = await open(driver())
    const items = store.table('item')
    const sets: ChangeSet[] = []
    store.changes$.subscribe((set) => sets.push(set))
    store.transaction((tx) => {
      tx.onCommit(() => items.insert({ id: 'after' }))
      items.insert({ id: 'a' })
    })
    expect(() =>
      store.transaction((tx) => {
        tx.onRollback(() => items.insert({ id: 'undone' }))
        throw new Error('x')
      }),
    ).toThrow('x')
    expect(items.keys()).toEqual(['a', 'after', 'undone'])
    expect(sets.map((set) => set.changes.map((change) => change.key))).toEqual([['a'], ['after'], ['undone']])
  })

  test('refuses onCommit and onRollback after its end', async () => {
    const store = await open(driver())
    let kept: Transaction | undefined
    store.transaction((tx) => {
      kept = tx
    })
    expect(() => kept?.onCommit(() => undefined)).toThrow(TransactionError)
    expect(() => kept?.onRollback(() => undefined)).toThrow(TransactionError)
    // Another one that is running is none of its business.
    store.transaction(() => {
      expect(() => kept?.onCommit(() => undefined)).toThrow(TransactionError)
    })
  })

  test('refuses an async function before it runs, and undoes what a function that returns a promise did', async () => {
    const store = await open(driver())
    const items = store.table('item')
    let ran = false
    const asynchronous = async (): Promise<void> => {
      ran = true
    }
    expect(() => store.transaction(asynchronous as unknown as () => void)).toThrow(TransactionError)
    expect(ran).toBe(false)
    const promising = (): unknown => {
      items.insert({ id: 'a' })
      return Promise.resolve()
    }
    expect(() => store.transaction(promising)).toThrow(TransactionError)
    expect(items.keys()).toEqual([])
    const thenable = (): unknown => {
      items.insert({ id: 'a' })
      return { then: () => undefined }
    }
    expect(() => store.transaction(thenable)).toThrow(TransactionError)
    expect(items.keys()).toEqual([])
  })

  test('leaves the store usable after a failure of each kind', async () => {
    const store = await open(driver())
    const items = store.table('item')
    for (const fail of [
      () => items.insert({ id: 'a', rank: -1 }),
      () => items.insert([{ id: 'x' }, { id: 'x' }]),
      () => store.exec({ sql: 'update nothing set a = 1' }),
      () => items.set('none', 'rank', 1),
    ]) {
      expect(() => store.transaction(fail)).toThrow()
      expect(items.keys()).toEqual([])
      store.transaction(() => {
        expect(fail).toThrow()
        items.insert({ id: 'kept' })
      })
      expect(items.keys()).toEqual(['kept'])
      items.delete('kept')
    }
  })

  test('is what an insert of many rows is: all of them or none', async () => {
    const store = await open(driver())
    const items = store.table('item')
    const sets: ChangeSet[] = []
    store.changes$.subscribe((set) => sets.push(set))
    expect(() => items.insert([{ id: 'a' }, { id: 'b' }, { id: 'c', rank: -1 }])).toThrow(ValidationError)
    expect(() => items.upsert([{ id: 'a' }, { id: 'c', rank: 0.5 }])).toThrow(ValidationError)
    expect(items.count()).toBe(0)
    expect(items.insert([{ id: 'b' }, { id: 'a' }])).toEqual(['b', 'a'])
    expect(sets).toHaveLength(1)
    store.transaction(() => {
      expect(() => items.insert([{ id: 'c' }, { id: 'a' }])).toThrow()
      expect(items.has('c')).toBe(false)
    })
    expect(items.keys()).toEqual(['a', 'b'])
  })

  test('undoes what a recipe wrote elsewhere before it threw, also when the throw is caught within the transaction', async () => {
    const store = await open(driver())
    const items = store.table('item')
    items.insert({ id: 'a' })
    const sets: ChangeSet[] = []
    store.changes$.subscribe((set) => sets.push(set))
    store.transaction(() => {
      expect(() =>
        items.update('a', () => {
          items.insert({ id: 'b' })
          throw new Error('recipe')
        }),
      ).toThrow('recipe')
    })
    // What throws changes nothing; and if anything had changed, subscribers would have to know.
    expect(items.keys()).toEqual(['a'])
    expect(sets).toEqual([])
  })

  test('gives nothing at all when nothing was written or all of it came back', async () => {
    const store = await open(driver())
    const items = store.table('item')
    items.insert({ id: 'a', rank: 1 })
    const sets: ChangeSet[] = []
    store.changes$.subscribe((set) => sets.push(set))
    store.commits$.subscribe((set) => sets.push(set))
    store.transaction(() => undefined)
    store.transaction(() => {
      items.set('a', 'rank', 2)
      items.set('a', 'rank', 1)
      items.insert({ id: 'b' })
      items.delete('b')
      const row = items.get('a')
      items.delete('a')
      items.insert({ ...row, id: 'a' })
    })
    items.set('a', 'rank', 1)
    items.update('a', {})
    expect(sets).toEqual([])
    expect(items.all()).toEqual([{ id: 'a', rank: 1 }])
  })
})
