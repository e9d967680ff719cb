import { createStore, defineSchema } from 'rowcast'
import { expect, test } from 'vitest'

const schema = defineSchema({
  version: 1,
  tables: {
    pin: {
      primaryKey: 'id',
      schema: {
        type: 'object',
        required: ['id'],
        properties: {
          id: { type: 'string' },
          note: { type: 'string' },
          leader: {
            type: 'object',
            required: ['dashed'],
            properties: { dashed: { type: 'boolean' }, width: { type: 'number', default: 2 } },
          },
        },
      },
    },
  },
})

test('a store that removes an optional object which a draft has removed already commits the whole removal', async () => {
  const store = await createStore({ schema })
  const pins = store.table('pin')
  pins.insert({ id: 'a', leader: { dashed: false } })
  const draft = store.draft()
  draft.table('pin').update('a', { leader: undefined })
  pins.update('a', { leader: undefined })
  pins.upsert({ id: 'a', note: '' })
  draft.cancel()
  expect(pins.get('a')).toEqual({ id: 'a', note: '' })
  await store.close()
})
