import { expect, test } from 'vitest'
import { startServer, type TestServer } from '../http/support.ts'
import { RawClient } from '../session/raw-client.ts'
import { deepTransaction, expectLive, forgeFile, makeScene, nested, outcomeOf, putItem, treeSchema } from './support.ts'

const scene = '/v1/databases/scene'

async function open(): Promise<TestServer & { clients: RawClient[] }> {
  const started = startServer({ schema: treeSchema })
  await makeScene(started)
  return { ...started, clients: [await RawClient.enter(started.server), await RawClient.enter(started.server)] }
}

test.each([
  [400, 400, 'malformed'],
  [245, 400, 'malformed'],
  [243, 422, 'validation'],
])('a transaction over HTTP with a value %i levels deep is refused, and nobody notices', async (depth, ...refusal) => {
  const { server, ask, clients, errors } = await open()
  expect(outcomeOf(await ask(`POST ${scene}/transactions`, deepTransaction('deep', depth)))).toEqual(refusal)
  expect((await ask(`GET ${scene}/history`)).body['last']).toBe(1)
  await expectLive(server, clients, putItem('next'))
  await RawClient.enter(server)
  expect(errors).toEqual([])
})

test('the deepest value that is taken is told to those who are here and to those who come', async () => {
  const { server, ask, clients, errors } = await open()
  expect((await ask(`POST ${scene}/transactions`, deepTransaction('deep', 240))).status).toBe(200)
  await expectLive(server, clients, putItem('next'))
  const late = await RawClient.enter(server)
  expect(late.texts.join('')).toContain(nested(240))
  const entries = await ask(`GET ${scene}/history`)
  expect(entries.body['last']).toBe(3)
  expect(errors).toEqual([])
})

test('a message with a value that could not be sent on is refused as well', async () => {
  const { server, clients, errors } = await open()
  const [first, second] = clients as [RawClient, RawClient]
  const tree = JSON.parse(nested(243)) as never
  expect(await first.commit([putItem('deep', { tree })])).toMatchObject({ type: 'refused', code: 'validation' })
  await expectLive(server, [first, second], putItem('next'))
  expect(errors).toEqual([])
})

test.each([300, 900])('a file with a cell %i levels deep is not imported, and nothing changes', async (depth) => {
  const { server, ask, clients, errors } = await open()
  const file = await forgeFile(`UPDATE item SET tree = '${nested(depth)}'`)
  const replaced = await ask(`PUT ${scene}/import`, file)
  expect(outcomeOf(replaced)).toEqual([422, 'validation'])
  const made = await ask('PUT /v1/databases/other/import', file)
  expect(outcomeOf(made)).toEqual([422, 'validation'])
  expect((await ask('GET /v1/databases')).body['databases']).toEqual([{ name: 'scene' }])
  expect((await ask(`GET ${scene}/history`)).body['last']).toBe(1)
  await expectLive(server, clients, putItem('next'))
  const late = await RawClient.enter(server)
  expect(late.texts.join('')).not.toContain('"i"')
  expect(errors).toEqual([])
})
