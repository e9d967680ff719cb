import { SignJWT } from 'jose'
import { describe, expect, test } from 'vitest'
import { jwtAuth, memoryStorage } from 'rowcast/server'
import { putNote, startServer } from './support.ts'

const a = '/v1/databases/a'
const calls = [
  'GET /v1/databases',
  `PUT ${a}`,
  `DELETE ${a}`,
  `GET ${a}/export`,
  `PUT ${a}/import`,
  `POST ${a}/snapshots`,
  `GET ${a}/snapshots`,
  `POST ${a}/rollback`,
  `POST ${a}/fork`,
  `GET ${a}/history`,
  `POST ${a}/transactions`,
  'GET /metrics',
]

const secret = 'a secret of thirty-two bytes or more'
function token(claims: Record<string, unknown>, sign = secret): Promise<string> {
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime('1h')
    .sign(new TextEncoder().encode(sign))
}

describe('a request without a token that is accepted', () => {
  test.each(calls)('%s is answered with 401', async (line) => {
    const { send, errors } = startServer({ authenticate: jwtAuth({ secret }) })
    for (const authorization of [
      '',
      'Bearer nonsense',
      `Bearer ${await token({ sub: 'ann' }, `${secret}!`)}`,
      `Bearer ${await token({})}`,
    ]) {
      const response = await send(line, undefined, authorization === '' ? {} : { authorization })
      expect([response.status, await response.json()]).toMatchObject([401, { error: { code: 'unauthenticated' } }])
      expect(response.headers.get('www-authenticate')).toMatch(/^Bearer/)
    }
    expect(errors).toEqual([])
  })
})

describe('a user who is no administrator', () => {
  test.each(calls.filter((line) => !line.endsWith('/transactions')))(
    '%s is answered with 403, whether there is the database or not',
    async (line) => {
      const { ask } = startServer({ authenticate: jwtAuth({ secret }) })
      const admin = { authorization: `Bearer ${await token({ sub: 'root', admin: true })}` }
      const user = { authorization: `Bearer ${await token({ sub: 'ann', name: 'Ann' })}` }
      const before = await ask(line, undefined, user)
      expect((await ask(`PUT ${a}`, undefined, admin)).status).toBe(201)
      expect(await ask(line, undefined, user)).toEqual(before)
      expect([before.status, before.body.error?.code]).toEqual([403, 'forbidden'])
    },
  )

  test('may send transactions, which bear the name', async () => {
    const { ask } = startServer({ authenticate: jwtAuth({ secret }) })
    const admin = { authorization: `Bearer ${await token({ sub: 'root', admin: true })}` }
    await ask(`PUT ${a}`, undefined, admin)
    const user = { authorization: `Bearer ${await token({ sub: 'ann', name: 'Ann' })}` }
    expect((await ask(`POST ${a}/transactions`, putNote('n'), user)).status).toBe(200)
    expect((await ask(`GET ${a}/history?from=2`, undefined, admin)).body['entries']).toMatchObject([
      { by: 'ann', name: 'Ann' },
    ])
  })
})

describe('paths and methods', () => {
  test.each([
    ['GET /', 404, 'not-found'],
    ['GET /v1/databases/a/nothing', 404, 'not-found'],
    ['POST /v1/databases', 405, 'method'],
    ['PATCH /v1/databases/a', 405, 'method'],
    ['DELETE /v1/databases/a/export', 405, 'method'],
    ['PUT /v1/databases/a/events', 405, 'method'],
    ['PUT /v1/databases/.hidden', 400, 'database-name'],
    ['PUT /v1/databases/..%2fescape', 400, 'database-name'],
    ['PUT /v1/databases/%00', 400, 'database-name'],
    ['PUT /v1/databases/%ff', 400, 'malformed'],
    [`PUT /v1/databases/${'x'.repeat(129)}`, 400, 'database-name'],
    ['GET /v1/databases/%2e%2e%2fx/events', 400, 'database-name'],
    ['GET /v1/databases/a/sync', 426, 'upgrade'],
    ...['export', 'history', 'snapshots'].map((call): [string, number, string] => [
      `GET ${a}/${call}`,
      404,
      'unknown-database',
    ]),
    [`POST ${a}/snapshots`, 404, 'unknown-database'],
    [`POST ${a}/events`, 400, 'malformed'],
  ])('%s is answered with %i %s', async (line, status, code) => {
    const { ask, errors, server } = startServer()
    const answer = await ask(line)
    expect([answer.status, answer.body.error?.code]).toEqual([status, code])
    expect(errors).toEqual([])
    expect(await server.databases.list()).toEqual([])
  })

  test('a method that is not answered is told which are', async () => {
    const { send } = startServer()
    expect((await send(`POST ${a}/export`)).headers.get('allow')).toBe('HEAD, GET')
  })
})

describe('pages of other origins', () => {
  test('get nothing unless they are named', async () => {
    const { ask } = startServer()
    const from = (origin: string) => ({ origin, host: 'localhost' })
    expect((await ask(`PUT ${a}`, undefined, from('http://evil.test'))).status).toBe(403)
    expect((await ask(`PUT ${a}`, undefined, from('null'))).status).toBe(403)
    expect((await ask(`PUT ${a}`, undefined, from('http://localhost'))).status).toBe(201)
  })

  test('that are named may read the answers and their headers', async () => {
    const { send } = startServer({ cors: { origins: ['https://app.test'] } })
    const asked = await send(`OPTIONS ${a}`, undefined, {
      origin: 'https://app.test',
      'access-control-request-method': 'PUT',
    })
    expect(asked.headers.get('access-control-allow-methods')).toContain('PUT')
    const answer = await send('GET /v1/databases', undefined, { origin: 'https://app.test' })
    expect(answer.headers.get('access-control-allow-origin')).toBe('https://app.test')
    const refused = await send('GET /v1/databases', undefined, { origin: 'https://evil.test' })
    expect([refused.status, refused.headers.get('access-control-allow-origin')]).toEqual([403, null])
    const failed = await send('GET /nothing', undefined, { origin: 'https://app.test' })
    expect([failed.status, failed.headers.get('access-control-allow-origin')]).toEqual([404, 'https://app.test'])
  })
})

describe('failures of the server itself', () => {
  test('are reported, and say nothing of the inside', async () => {
    const storage = memoryStorage()
    const broken = {
      ...storage,
      logs: {
        ...storage.logs,
        open: storage.logs.open.bind(storage.logs),
        delete: storage.logs.delete.bind(storage.logs),
        list: () => Promise.reject(new Error('/secret/path')),
      },
    }
    const { ask, errors } = startServer({ storage: broken })
    expect(await ask('GET /v1/databases')).toEqual({
      status: 500,
      body: { error: { code: 'internal', reason: 'the server failed' } },
    })
    expect((await ask('GET /healthz')).status).toBe(200)
    expect((await ask('GET /healthz?ready')).status).toBe(503)
    expect(errors).toHaveLength(2)
  })

  test('a server that goes down says so', async () => {
    const { ask, server } = startServer()
    await ask(`PUT ${a}`)
    await server.close()
    expect((await ask(`GET ${a}/export`)).status).toBe(503)
  })
})

describe('/metrics', () => {
  test('counts transactions by what became of them, each server its own', async () => {
    const [one, other] = [startServer(), startServer()]
    for (const { ask } of [one, other]) await ask(`PUT ${a}`)
    await one.ask(`POST ${a}/transactions`, putNote('n'))
    await one.ask(`POST ${a}/transactions`, putNote('n'))
    const text = await (await one.send('GET /metrics')).text()
    expect(text).toContain('rowcast_transactions_total{outcome="committed"} 1')
    expect(text).toContain('rowcast_transactions_total{outcome="constraint"} 1')
    expect(text).toContain('rowcast_log_append_seconds_count 2')
    expect(text).toContain('rowcast_open_databases 1')
    expect(await (await other.send('GET /metrics')).text()).not.toContain('outcome="committed"')
  })
})
