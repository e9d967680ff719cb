import { createStore, defineSchema, TransactionError, ValidationError } from 'rowcast'
import { expect, test } from 'vitest'
import { allAtOnce, type RowChange } from '../../src/changes/index.ts'
import { commitInSteps, internals } from '../../src/store/index.ts'
import { describeEachDriver } from '../support/each-driver.ts'

const schema = defineSchema({
  version: 1,
  tables: {
    item: {
      primaryKey: 'id',
      unique: [['rank']],
      schema: {
        type: 'object',
        required: ['id'],
        properties: { id: { type: 'string' }, rank: { type: 'integer', maximum: 10_000 } },
      },
    },
  },
})

const insert = (n: number): RowChange => ({
  table: 'item',
  key: `i${n}`,
  op: 'insert',
  before: {},
  after: { id: `i${n}`, rank: n },
})

describeEachDriver('a transaction in steps', (driver) => {
  const open = () => createStore({ schema, driver: driver() })

  test('is what the same at once is, in no step many rows', async () => {
    const [store, other] = [await open(), await open()]
    const changes = Array.from({ length: 2_000 }, (_, n) => insert(n))
    const told: number[] = []
    store.changes$.subscribe((set) => told.push(set.changes.length))
    const steps = commitInSteps(internals(store as never).engine, changes)
    let count = 0
    let step = steps.next()
    for (; !step.done; step = steps.next()) count++
    expect(count).toBeGreaterThan(1_000)
    expect(step.value).toEqual(allAtOnce(commitInSteps(internals(other as never).engine, changes)))
    expect(store.table('item').all()).toEqual(other.table('item').all())
    expect(told).toEqual([2_000])
    await Promise.all([store.close(), other.close()])
  })

  test('lets nobody write before it is over', async () => {
    const store = await open()
    const steps = commitInSteps(internals(store as never).engine, [insert(1), insert(2)])
    steps.next()
    expect(() => store.table('item').insert({ id: 'x' })).toThrow(TransactionError)
    expect(() => store.export()).toThrow(TransactionError)
    allAtOnce(steps)
    store.table('item').insert({ id: 'x' })
    expect(store.table('item').keys()).toEqual(['i1', 'i2', 'x'])
    await store.close()
  })

  test.each([1, 3, 6, 9])('has done nothing where it is ended after %i steps', async (most) => {
    const store = await open()
    store.table('item').insert({ id: 'x', rank: 7 })
    const steps = commitInSteps(internals(store as never).engine, [
      { table: 'item', key: 'x', op: 'update', before: {}, after: { rank: 8 } },
      insert(1),
    ])
    for (let n = 0; n < most; n++) steps.next()
    steps.return(undefined as never)
    expect(store.table('item').all()).toEqual([{ id: 'x', rank: 7 }])
    store.table('item').set('x', 'rank', 9)
    expect(store.table('item').get('x')).toEqual({ id: 'x', rank: 9 })
    await store.close()
  })

  test('has done nothing where it is refused, also at its end', async () => {
    const store = await open()
    const { engine } = internals(store as never)
    store.table('item').insert({ id: 'x', rank: 1 })
    expect(() => allAtOnce(commitInSteps(engine, [insert(2), insert(1)]))).toThrow('same rank')
    expect(() => allAtOnce(commitInSteps(engine, [insert(2), insert(20_000)]))).toThrow(ValidationError)
    const refuse = function* (): Generator<undefined, void, undefined> {
      yield
      throw new Error('refused')
    }
    expect(() => allAtOnce(commitInSteps(engine, [insert(2)], refuse))).toThrow('refused')
    expect(store.table('item').all()).toEqual([{ id: 'x', rank: 1 }])
    await store.close()
  })
})
