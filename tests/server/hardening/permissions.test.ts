import { expect, test } from 'vitest'
import { putNote, startServer } from '../http/support.ts'
import { outcomeOf } from './support.ts'

const a = '/v1/databases/a'
const permissions = { note: { canView: { owner: 'me' }, canCreate: true } }
const wholeCalls: readonly { readonly line: string; readonly body?: object }[] = [
  { line: `GET ${a}/export` },
  { line: `GET ${a}/history` },
  { line: `GET ${a}/snapshots` },
  { line: `PUT ${a}/import` },
  { line: `POST ${a}/rollback`, body: { to: 1 } },
  { line: `POST ${a}/fork`, body: { name: 'b' } },
  { line: `POST ${a}/snapshots`, body: {} },
  { line: `DELETE ${a}` },
  { line: 'GET /v1/databases' },
  { line: 'PUT /v1/databases/b' },
]

test.each(wholeCalls)('with rules and nobody known, $line is forbidden', async ({ line, body }) => {
  const { ask, server, errors } = startServer({ permissions })
  await server.databases.create('a')
  const answer = await ask(line, body)
  expect(outcomeOf(answer)).toEqual([403, 'forbidden'])
  expect(await server.databases.list()).toEqual(['a'])
  // What the rules allow goes on.
  expect((await ask(`POST ${a}/transactions`, putNote('n'))).status).toBe(200)
  expect(errors).toEqual([])
})

test.each(wholeCalls.filter(({ line }) => !/import|export/.test(line)))(
  'with neither rules nor anyone known, $line is for everyone',
  async ({ line, body }) => {
    const { ask, server } = startServer()
    await server.databases.create('a')
    expect((await ask(line, body)).status).toBeLessThan(300)
  },
)

test('with rules and nobody known, an administrator there may be all the same by authorize', async () => {
  const { ask, server } = startServer({ permissions, authorize: ({ action }) => action === 'export' })
  await server.databases.create('a')
  expect((await ask(`GET ${a}/history`)).status).toBe(403)
  expect((await server.fetch(new Request(`http://localhost${a}/export`))).status).toBe(200)
})
