import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileStorage, memoryStorage } from 'rowcast/server'
import { describe, expect, onTestFinished, test } from 'vitest'
import { putNote, startServer } from '../http/support.ts'
import { RawClient } from './raw-client.ts'

const transact = 'POST /v1/databases/new/transactions'

async function enter(url: string, token?: string): Promise<RawClient> {
  const client = new RawClient(`${url}/v1/databases/new/sync`)
  await client.opened
  client.send({
    type: 'hello',
    protocol: 3,
    schemaVersion: 1,
    database: 'new',
    ...(token !== undefined && { token }),
    subscriptions: [{ id: 'all', sets: [] }],
  })
  return client
}

const storages = {
  memory: memoryStorage,
  files: () => {
    const directory = mkdtempSync(join(tmpdir(), 'rowcast-first-use-'))
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
    return fileStorage(directory)
  },
}

test('a database that is not there is refused with how one is made', async () => {
  const { server, ask, errors } = startServer()
  const { url } = await server.listen({ port: 0 })
  const client = await enter(url)
  const how = /'new': make it with PUT \/v1\/databases\/new, .*rowcast serve --create/
  expect(await client.until(({ type }) => type === 'closing')).toMatchObject({
    code: 'unknown-database',
    reason: expect.stringMatching(how) as string,
  })
  const { status, body } = await ask(transact, putNote('n'))
  expect([status, body.error?.reason]).toEqual([404, expect.stringMatching(how)])
  expect(errors).toEqual([])
})

describe.each(Object.entries(storages))('a server that makes databases, in %s', (_kind, storage) => {
  test('makes one for who first comes, and once for many who come at the same time', async () => {
    const { server, ask, errors } = startServer({ create: true, storage: storage() })
    const { url } = await server.listen({ port: 0 })
    const [sent, ...clients] = await Promise.all([
      ask(transact, { id: 't', ...putNote('n') }),
      ...Array.from({ length: 8 }, () => enter(url)),
    ])
    expect(sent.status).toBe(200)
    // With the rows, or told after them.
    for (const client of clients)
      await client.until(
        (message) =>
          JSON.stringify(message['rows'] ?? '').includes('"n"') ||
          JSON.stringify(message['commits'] ?? '').includes('"n"'),
      )
    const { body } = await ask('GET /v1/databases/new/history')
    expect(body['last']).toBe(2)
    expect(errors).toEqual([])
  })

  test('makes none for what only reads', async () => {
    const { ask } = startServer({ create: true, storage: storage() })
    for (const call of ['GET /v1/databases/new/history', 'GET /v1/databases/new/export'])
      expect((await ask(call)).status).toBe(404)
    expect((await ask('GET /v1/databases')).body['databases']).toEqual([])
  })
})

test.each([
  ['who may create', 'ann', true],
  ['who may not', 'bob', false],
])('authorize is asked whether %s', async (_who, token, allowed) => {
  const { server, ask } = startServer({
    create: true,
    authenticate: (given) => ({ id: given.token! }),
    authorize: ({ user, action }) => action === 'open' || user?.id === 'ann',
  })
  const { url } = await server.listen({ port: 0 })
  const client = await enter(url, token)
  const answer = await client.until(({ type }) => type === 'welcome' || type === 'closing')
  expect(answer).toMatchObject(allowed ? { type: 'welcome' } : { type: 'closing', code: 'unknown-database' })
  const { status } = await ask(transact, putNote('n'), { authorization: `Bearer ${token}` })
  expect(status).toBe(allowed ? 200 : 404)
})

test('without authorize it makes one for everyone who is let in, and for nobody else', async () => {
  const { server } = startServer({
    create: true,
    authenticate: ({ token }) => (token === 'ann' ? { id: token } : undefined),
  })
  const { url } = await server.listen({ port: 0 })
  const stranger = await enter(url, 'eve')
  expect(await stranger.until(({ type }) => type === 'closing')).toMatchObject({ code: 'unauthenticated' })
  expect(await server.databases.list()).toEqual([])
  const ann = await enter(url, 'ann')
  await ann.until(({ type }) => type === 'welcome')
  expect(await server.databases.list()).toEqual(['new'])
})

test('a page of a refused origin is named once to the server, with what lets it in', async () => {
  const { server, send, errors } = startServer()
  const { url } = await server.listen({ port: 0 })
  for (const origin of ['https://app.test', 'https://app.test', 'https://other.test']) {
    const client = new RawClient(`${url}/v1/databases/new/sync`, { origin })
    await expect(client.opened).rejects.toThrow('403')
    expect((await send('GET /v1/databases', undefined, { origin })).status).toBe(403)
  }
  expect(errors.map((error) => (error as Error).message)).toEqual([
    expect.stringMatching(/^pages of https:\/\/app\.test are refused: .*--cors https:\/\/app\.test/),
    expect.stringMatching(/^pages of https:\/\/other\.test are refused/),
  ])
  for (let n = 0; n < 300; n++) await send('GET /v1/databases', undefined, { origin: `https://${n}.test` })
  expect(errors.length).toBe(100)
})
