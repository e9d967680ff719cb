import { ConstraintError, createStore, defineSchema } from 'rowcast'
import { expect, onTestFinished, test } from 'vitest'
import { countingDriver, describeEachDriver } from '../support/each-driver.ts'

const schema = defineSchema({
  version: 1,
  tables: {
    parent: {
      primaryKey: 'id',
      schema: { type: 'object', required: ['id'], properties: { id: { type: 'string' } } },
    },
    child: {
      primaryKey: 'id',
      unique: [['slug']],
      references: { ref: { table: 'parent', onDelete: 'setNull' } },
      schema: {
        type: 'object',
        required: ['id'],
        properties: {
          id: { type: 'integer' },
          ref: { type: ['string', 'null'] },
          slug: { type: 'string' },
          name: { type: 'string' },
          x: { type: 'number', default: 0 },
        },
      },
    },
  },
})

describeEachDriver('what a draft may fall back to', (driver) => {
  async function open() {
    const counted = countingDriver(driver())
    const store = await createStore({ schema, driver: counted.driver })
    onTestFinished(() => store.close())
    store.table('parent').insert([{ id: 'p' }, { id: 'q' }])
    return { store, work: counted.work, parents: store.table('parent'), children: store.table('child') }
  }

  test('a reference of another draft is kept, though the delete would clear it', async () => {
    const { store, children } = await open()
    children.insert({ id: 1 })
    const [one, other] = [store.draft(), store.draft()]
    one.table('child').set(1, 'ref', 'q')
    expect(() => other.table('parent').delete('q')).toThrow(ConstraintError)
    one.commit()
    expect(children.get(1)).toMatchObject({ ref: 'q' })
  })

  test('a unique value of another draft is kept, though the same transaction covers it', async () => {
    const { store, children } = await open()
    children.insert({ id: 1, slug: 'o' })
    const [one, other] = [store.draft(), store.draft()]
    one.table('child').set(1, 'slug', 'x')
    expect(() =>
      other.transaction(() => {
        other.table('child').set(1, 'slug', 'z')
        other.table('child').insert({ id: 2, slug: 'x' })
      }),
    ).toThrow(ConstraintError)
    one.commit()
    other.cancel()
    expect(children.get(1)).toMatchObject({ slug: 'x' })
  })

  test('a transaction that takes a reference itself may delete what it referred to', async () => {
    const { store, parents, children } = await open()
    children.insert({ id: 1, ref: 'p', name: 'n' })
    const draft = store.draft()
    draft.table('child').set(1, 'ref', 'q')
    store.transaction(() => {
      children.update(1, { ref: null, name: 'n' })
      parents.delete('p')
    })
    draft.cancel()
    expect(children.get(1)).toMatchObject({ ref: null })
    expect(parents.keys()).toEqual(['q'])
  })

  test('many deletes and inserts beside a large draft ask no more than without one', async () => {
    const { store, work, parents, children } = await open()
    parents.insert(Array.from({ length: 400 }, (_, n) => ({ id: `more${n}` })))
    children.insert(Array.from({ length: 1_000 }, (_, id) => ({ id, slug: `s${id}`, ref: 'p' })))
    const spent = (run: () => void): number => {
      const before = work.reads + work.runs
      run()
      return work.reads + work.runs - before
    }
    const both = (from: number) => (): void => {
      parents.delete(Array.from({ length: 100 }, (_, n) => `more${from + n}`))
      children.insert(Array.from({ length: 100 }, (_, n) => ({ id: 10_000 + from + n, slug: `t${from + n}` })))
    }
    const alone = spent(both(0))
    const draft = store.draft()
    for (let id = 0; id < 1_000; id++) draft.table('child').set(id, 'x', 1)
    expect(spent(both(100))).toBeLessThan(alone + 500)
    for (let id = 0; id < 1_000; id++) draft.table('child').set(id, 'ref', 'q')
    expect(spent(both(200))).toBeLessThan(alone + 500)
    draft.cancel()
    expect(children.get(5)).toMatchObject({ ref: 'p', x: 0 })
  })
})
