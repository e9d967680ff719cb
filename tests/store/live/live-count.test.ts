import fc from 'fast-check'
import { createMemoryStore } from 'rowcast/testing'
import { defineSchema } from 'rowcast'
import { expect, test } from 'vitest'
import { firstSeed } from '../../support/random.ts'

const schema = defineSchema({
  version: 1,
  tables: {
    pin: {
      primaryKey: 'id',
      schema: {
        type: 'object',
        required: ['id'],
        properties: { id: { type: 'integer' }, size: { type: 'integer', default: 5 }, kind: { type: 'string' } },
      },
    },
  },
})

test('a live count is told when it is another number, and not otherwise', async () => {
  const store = await createMemoryStore(schema)
  const pins = store.table('pin')
  const large: number[] = []
  const all: number[] = []
  pins.count$({ size: { gt: 5 } }).subscribe((count) => large.push(count))
  pins.count$().subscribe((count) => all.push(count))
  pins.insert([{ id: 1 }, { id: 2, size: 9 }])
  pins.set(1, 'kind', 'area')
  pins.set(2, 'size', 8)
  pins.set(1, 'size', 7)
  const draft = store.draft()
  draft.table('pin').delete(2)
  draft.cancel()
  pins.delete(1)
  expect(large).toEqual([0, 1, 2, 1, 2, 1])
  expect(all).toEqual([0, 2, 1, 2, 1])
  await store.close()
})

test('a live count equals a count, whatever is written, within transactions that are undone as well', async () => {
  const id = fc.integer({ min: 1, max: 6 })
  const size = fc.integer({ min: 1, max: 9 })
  const step = fc.record({ id, size, what: fc.constantFrom('put', 'delete', 'throw', 'many', 'write while told') })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const store = await createMemoryStore(schema)
      const pins = store.table('pin')
      const where = { size: { gte: 5 } }
      let told = -1
      const subscription = pins.count$(where).subscribe((count) => (told = count))
      let late = -1
      for (const one of steps) {
        if (one.what === 'put') pins.upsert({ id: one.id, size: one.size })
        else if (one.what === 'delete') pins.delete(one.id)
        else if (one.what === 'many') pins.updateMany({}, { size: one.size })
        else if (one.what === 'write while told') {
          const writing = pins.changes$.subscribe(() => {
            writing.unsubscribe()
            pins.upsert({ id: 7, size: one.size })
          })
          pins.upsert({ id: one.id, size: one.size })
          writing.unsubscribe()
        } else {
          expect(() =>
            store.transaction(() => {
              pins.upsert({ id: one.id, size: one.size })
              const within = pins.count$(where).subscribe((count) => (late = count))
              store.transaction(() => within.add(() => undefined))
              throw new Error('undone')
            }),
          ).toThrow('undone')
          expect(late).toBe(pins.count(where))
        }
        expect(told).toBe(pins.count(where))
      }
      subscription.unsubscribe()
      await store.close()
    }),
    { seed: firstSeed, numRuns: 60 },
  )
})
