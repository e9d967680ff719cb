import { expect, test } from 'vitest'
import { openServer } from '../../support/sync-world.ts'
import { put, RawClient } from '../session/raw-client.ts'
import { expectLive, putItem, treeSchema } from './support.ts'

const subscription = (n: number) => ({ id: `s${n}`, sets: [{ table: 'note', where: { id: n } }] })

test('a connection has 256 subscriptions, and ends at one more', async () => {
  const core = await openServer()
  const good = await RawClient.enter(core)
  const client = await RawClient.enter(core)
  for (let n = 1; n < 256; n++) client.post({ type: 'subscribe', subscription: subscription(n) })
  await client.settled()
  expect(client.ended).toBeUndefined()
  client.post({ type: 'unsubscribe', id: 's1' })
  client.post({ type: 'subscribe', subscription: subscription(1) })
  await client.settled()
  expect(client.ended).toBeUndefined()
  client.post({ type: 'subscribe', subscription: subscription(256) })
  expect(await client.closing()).toMatchObject({ code: 'malformed' })
  await expectLive(core, [good], put(1))
  await core.close()
})

test('hello brings no more subscriptions than a connection has', async () => {
  const core = await openServer()
  const subscriptions = Array.from({ length: 257 }, (_, n) => subscription(n))
  await RawClient.enter(core, { subscriptions: subscriptions.slice(1) })
  const client = new RawClient(core)
  client.hello({ subscriptions })
  expect(await client.closing()).toMatchObject({ code: 'malformed' })
  await core.close()
})

test('a subscription whose where has a bigint shows its rows, and its position is good for coming back', async () => {
  const reported: unknown[] = []
  const core = await openServer({ schema: treeSchema, onError: (error) => reported.push(error) })
  const big = 2n ** 60n
  const where = { size: { gt: big } }
  const subscriptions = [{ id: 'big', sets: [{ table: 'item', where }] }] as never
  const writer = await RawClient.enter(core)
  await writer.commit([putItem('small', { size: 1n }), putItem('big', { size: big + 1n })])
  const client = await RawClient.enter(core, { subscriptions })
  expect(
    client.messages.flatMap((message) => (message.type === 'rows' ? message.rows.map(([, key]) => key) : [])),
  ).toEqual(['big'])
  await writer.commit([putItem('bigger', { size: big + 2n })])
  await client.find('commits')
  const { position } = client
  client.leave()
  await writer.commit([putItem('biggest', { size: big + 3n }), putItem('little', { size: 2n })])
  const back = await RawClient.enter(core, { subscriptions, position })
  expect(back.messages[0]).toMatchObject({ type: 'welcome', reset: false })
  expect(await back.find('commits')).toMatchObject({ commits: [{ changes: [{ key: 'biggest' }] }] })
  const later = await RawClient.enter(core)
  later.post({ type: 'subscribe', subscription: { id: 'later', sets: [{ table: 'item', where: { size: big + 1n } }] } })
  expect(await later.find('rows', ({ subscription: id }) => id === 'later')).toMatchObject({ rows: [] })
  await later.settled()
  expect(reported).toEqual([])
  await core.close()
})
