import { RejectedError } from 'rowcast'
import { expect, test } from 'vitest'
import { openScene, openServer, settled } from '../../support/sync-world.ts'
import { RawClient } from '../session/raw-client.ts'
import { expectLive } from './support.ts'

const layer = (id: string, name = '') => ({ table: 'layer', key: id, op: 'put', after: { id, name } }) as const
const alternatives = (count: number) => ({
  or: Array.from({ length: count }, (_, n) => ({ name: { contains: `zz${n}` } })),
})

test.each([
  ['conditions', Array.from({ length: 256 }, () => ({ table: 'layer', where: alternatives(600) }))],
  ['texts to read', [{ table: 'layer', where: alternatives(65) }]],
  ['texts to read', [{ table: 'layer', where: { name: { like: `%${'_a'.repeat(8_000)}%` } } }]],
  ['values', [{ table: 'note', where: { id: { in: Array.from({ length: 20_001 }, (_, n) => n) } } }]],
  ['characters', [{ table: 'layer', where: { name: 'a'.repeat(1_000_001) } }]],
  [
    'conditions',
    [{ table: 'layer', where: { and: Array.from({ length: 1_000 }, (_, n) => ({ name: { ne: `${n}` } })) } }],
  ],
])('a subscription with too many %s is refused, and the connection goes on', async (what, sets) => {
  const core = await openServer()
  const client = await RawClient.enter(core)
  client.post({ type: 'subscribe', subscription: { id: 'dear', sets } })
  const refused = await client.find('refused')
  expect(refused).toMatchObject({ id: 'dear', code: 'too-large' })
  expect(refused.reason).toContain(what)
  // One under the same id, that asks for less, is another one.
  client.post({ type: 'subscribe', subscription: { id: 'dear', sets: [{ table: 'layer', where: alternatives(10) }] } })
  await client.find('rows', ({ subscription }) => subscription === 'dear')
  await expectLive(core, [client], layer('zz1', 'zz1'))
  await core.close()
})

test('what is allowed goes by the rows to look at, and by all subscriptions of a connection together', async () => {
  const core = await openServer({ limits: { filters: { steps: 1_500, conditions: 3 } } })
  const client = await RawClient.enter(core, { subscriptions: [] })
  const sets = [{ table: 'layer', where: { name: 'a' } }]
  const subscribe = async (id: string): Promise<string> => {
    client.post({ type: 'subscribe', subscription: { id, sets } })
    return Promise.race([
      client.find('refused', (one) => one.id === id).then(() => 'refused'),
      client.find('rows', ({ subscription }) => subscription === id).then(() => 'there'),
    ])
  }
  const verdicts: string[] = []
  for (let n = 1; n <= 7; n++) verdicts.push(await subscribe(`${n}`))
  expect(verdicts).toEqual([...Array.from({ length: 6 }, () => 'there'), 'refused'])
  client.post({ type: 'unsubscribe', id: '1' })
  expect(await subscribe('8')).toBe('there')
  const writer = await RawClient.enter(core)
  await writer.commit(Array.from({ length: 1_501 }, (_, n) => layer(`l${n}`)))
  client.post({ type: 'unsubscribe', id: '2' })
  expect(await subscribe('9')).toBe('refused')
  const { reason } = await client.find('refused', ({ id }) => id === '9')
  expect(reason).toContain('steps')
  await core.close()
})

test('a subscription of hello that is too dear is refused behind the welcome, and the others are served', async () => {
  const core = await openServer()
  const writer = await RawClient.enter(core)
  await writer.commit([layer('a', 'a'), layer('b', 'b')])
  const good = { id: 'good', sets: [{ table: 'layer', where: { name: 'a' } }] } as const
  const first = await RawClient.enter(core, { subscriptions: [good] })
  const { position } = first
  first.leave()
  const dear = { id: 'dear', sets: [{ table: 'layer', where: alternatives(600) }] }
  const client = await RawClient.enter(core, { subscriptions: [dear, good] as never, position })
  expect(client.messages.map(({ type }) => type).slice(0, 3)).toEqual(['welcome', 'refused', 'rows'])
  expect(client.messages[0]).toMatchObject({ reset: true })
  expect(client.messages[1]).toMatchObject({ id: 'dear', code: 'too-large' })
  expect(client.messages[2]).toMatchObject({ rows: [['layer', 'a', {}]] })
  await core.close()
})

test.each([
  ['with its hello', false],
  ['once it is live', true],
])('a store that asks for too much %s hears why, and stays live', async (_when, later) => {
  const core = await openServer()
  const store = await openScene(core, { subscribe: [{ table: 'note' }] })
  if (later) await settled(store)
  const { ready } = store.sync.subscribe([{ table: 'layer', where: alternatives(600) }])
  await expect(ready).rejects.toThrow(RejectedError)
  await expect(ready).rejects.toThrow('texts to read')
  await settled(store)
  // It filters its own rows as it likes.
  expect(store.table('layer').find({ where: alternatives(2_000) })).toEqual([])
  await store.close()
  await core.close()
})
