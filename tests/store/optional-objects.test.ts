import { createStore, defineSchema, sql } from 'rowcast'
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

test('an undo below a draft that has removed the object changes what the cancel brings back, and is not seen before', async () => {
  const store = await createStore({ schema })
  const pins = store.table('pin')
  pins.insert({ id: 'a', leader: { dashed: true } })
  pins.update('a', { leader: { dashed: false } })
  const draft = store.draft()
  draft.table('pin').upsert({ id: 'a' })
  const seen: unknown[] = []
  store.changes$.subscribe(({ changes }) => seen.push(changes.map(({ op, before, after }) => ({ op, before, after }))))
  const fields: unknown[] = []
  pins.field$('a', 'leader.dashed').subscribe((value) => fields.push(value))

  store.history.undo()
  expect(pins.get('a')).toEqual({ id: 'a' })
  expect(store.query(sql`select leader_dashed as dashed from pin`)).toEqual([{ dashed: null }])
  expect(pins.count({ 'leader.dashed': true })).toBe(0)
  expect(seen).toEqual([])

  draft.cancel()
  expect(pins.get('a')).toEqual({ id: 'a', leader: { dashed: true, width: 2 } })
  expect(store.query(sql`select leader_dashed as dashed from pin`)).toEqual([{ dashed: 1 }])
  expect(seen).toEqual([
    [
      {
        op: 'update',
        before: { leader: undefined, 'leader.dashed': undefined },
        after: { leader: {}, 'leader.dashed': true },
      },
    ],
  ])
  expect(fields).toEqual([undefined, true])
  await store.close()
})

test('a removed object that was changed below its draft is gone once the draft commits, and back with its undo', async () => {
  const store = await createStore({ schema })
  const pins = store.table('pin')
  pins.insert({ id: 'a', leader: { dashed: true } })
  pins.update('a', { leader: { dashed: false } })
  const draft = store.draft()
  draft.table('pin').upsert({ id: 'a' })
  store.history.undo()
  const { changes } = draft.commit()
  expect(changes.changes[0]!.before).toMatchObject({ 'leader.dashed': true })
  expect(pins.get('a')).toEqual({ id: 'a' })
  store.history.undo()
  expect(pins.get('a')).toEqual({ id: 'a', leader: { dashed: true, width: 2 } })
  await store.close()
})
