import { createStore } from 'rowcast'
import { nodeSqliteDriver } from 'rowcast/node'
import { describe, expect, test } from 'vitest'
import { putNote, schema, startServer, type TestServer } from './support.ts'

const a = '/v1/databases/a'

async function withNotes(...ids: string[]): Promise<TestServer> {
  const started = startServer()
  expect((await started.ask(`PUT ${a}`)).status).toBe(201)
  for (const id of ids) expect((await started.ask(`POST ${a}/transactions`, putNote(id))).status).toBe(200)
  return started
}

async function exported({ send }: TestServer, query = '', name = 'a'): Promise<Uint8Array> {
  const response = await send(`GET /v1/databases/${name}/export${query}`)
  expect(response.status).toBe(200)
  return new Uint8Array(await response.arrayBuffer())
}

async function notesIn(bytes: Uint8Array): Promise<unknown[]> {
  const store = await createStore({ schema, data: bytes, driver: nodeSqliteDriver() })
  const keys = [...store.table('note').keys()]
  await store.close()
  return keys
}

async function tablesIn(bytes: Uint8Array): Promise<unknown[]> {
  const driver = await nodeSqliteDriver().open(bytes)
  const statement = driver.prepare("select name from sqlite_schema where name like 'rowcast%' order by name")
  const names = statement.all().flat()
  statement.finalize()
  driver.close()
  return names
}

describe('databases', () => {
  test('are made, listed and deleted', async () => {
    const { ask } = startServer()
    expect(await ask(`PUT ${a}`)).toEqual({ status: 201, body: { name: 'a', sequence: 1 } })
    await ask('PUT /v1/databases/b')
    expect((await ask('GET /v1/databases')).body).toEqual({ databases: [{ name: 'a' }, { name: 'b' }] })
    expect((await ask(`PUT ${a}`)).body.error?.code).toBe('exists')
    expect((await ask(`DELETE ${a}`)).status).toBe(204)
    expect((await ask(`DELETE ${a}`)).status).toBe(404)
    expect((await ask('GET /v1/databases')).body).toEqual({ databases: [{ name: 'b' }] })
  })
})

describe('transactions', () => {
  test('answer with the sequence number, and are applied once however often they are sent', async () => {
    const { ask } = await withNotes()
    const once = { id: 't1', label: 'first', ...putNote('n') }
    expect((await ask(`POST ${a}/transactions`, once)).body).toEqual({ id: 't1', sequence: 2 })
    expect((await ask(`POST ${a}/transactions`, once)).body).toEqual({ id: 't1', sequence: 2, known: true })
    const { body } = await ask(`GET ${a}/history`)
    expect(body['last']).toBe(2)
  })

  test.each([
    ['a value that the schema refuses', putNote('m', { text: 'x'.repeat(21) }), 422, 'validation'],
    ['a key that is there', putNote('n'), 422, 'constraint'],
    ['a table that there is not', { changes: [{ table: 'x', key: 'n', op: 'delete' }] }, 422, 'not-found'],
    [
      'a row that was changed meanwhile',
      {
        ifUnchanged: true,
        changes: [{ table: 'note', key: 'n', op: 'update', before: { text: 'old' }, after: { text: 'a' } }],
      },
      409,
      'conflict',
    ],
    ['no changes', {}, 400, 'malformed'],
    ['more than a transaction has', { ...putNote('m'), base: 'x' }, 400, 'malformed'],
    ['what every object inherits', { changes: [{ table: 'note', key: 'n', op: 'toString' }] }, 400, 'malformed'],
    ['a value of no form', putNote('m', { text: { $date: '1' } }), 400, 'malformed'],
    ['no JSON', '{', 400, 'malformed'],
    ['bytes that are no text', new Uint8Array([0xff, 0xfe]), 400, 'malformed'],
  ])('refuse %s', async (_what, body, status, code) => {
    const { ask, errors } = await withNotes('n')
    const answer = await ask(`POST ${a}/transactions`, body)
    expect([answer.status, answer.body.error?.code]).toEqual([status, code])
    expect(answer.body.error?.reason).toEqual(expect.any(String))
    expect((await ask(`GET ${a}/history`)).body['last']).toBe(2)
    expect(errors).toEqual([])
  })

  test('that are too long are not read', async () => {
    const { ask } = startServer({ limits: { messageBytes: 100 } })
    await ask(`PUT ${a}`)
    expect((await ask(`POST ${a}/transactions`, putNote('n', { text: 'x'.repeat(200) }))).status).toBe(413)
  })

  test('beyond what may wait are put off', async () => {
    const { ask, send } = startServer({ limits: { transactions: 1 } })
    await ask(`PUT ${a}`)
    const answers = await Promise.all(['m', 'n'].map((id) => send(`POST ${a}/transactions`, putNote(id))))
    expect(answers.map(({ status }) => status === 429)).toContain(true)
    expect(answers.map(({ status }) => status)).toContain(200)
    expect(answers.find(({ status }) => status === 429)?.headers.get('retry-after')).toBe('1')
  })

  test('tell those who do not see everything no sequence number', async () => {
    const { ask } = startServer({
      permissions: { note: { canView: true, canCreate: { owner: 'me' } } },
      authorize: () => true,
    })
    await ask(`PUT ${a}`)
    expect((await ask(`POST ${a}/transactions`, { id: 't', ...putNote('n', { owner: 'me' }) })).body).toEqual({
      id: 't',
    })
    const answer = await ask(`POST ${a}/transactions`, putNote('m', { owner: 'you' }))
    expect([answer.status, answer.body.error?.code]).toEqual([403, 'forbidden'])
  })
})

describe('export', () => {
  test('gives the file of any state, without what the server keeps in it', async () => {
    const started = await withNotes('m', 'n')
    const now = await exported(started)
    expect(await notesIn(now)).toEqual(['m', 'n'])
    expect(await tablesIn(now)).toEqual(['rowcast_meta'])
    expect(await notesIn(await exported(started, '?at=2'))).toEqual(['m'])
    for (const query of ['?at=4', '?at=999']) expect((await started.ask(`GET ${a}/export${query}`)).status).toBe(404)
    for (const query of ['?at=x', '?at=', '?at=-1', '?at=0', '?at=1e9'])
      expect((await started.ask(`GET ${a}/export${query}`)).status).toBe(400)
  })

  test('holds nothing of what was deleted or written over, nor who sent what by which id', async () => {
    const started = await withNotes('kept')
    const { ask } = started
    const call = (id: string, changes: object): Promise<unknown> =>
      ask(`POST ${a}/transactions`, { id, label: `label-${id}`, ...changes })
    await call('sent-1', putNote('over', { text: 'written-over' }))
    await call('sent-2', { changes: [{ table: 'note', key: 'over', op: 'update', after: { text: 'new' } }] })
    await call('sent-3', putNote('gone', { text: 'deleted-text', owner: 'somebody' }))
    await call('sent-4', { changes: [{ table: 'note', key: 'gone', op: 'delete' }] })
    const file = await exported(started)
    await ask('PUT /v1/databases/b/import', file)
    for (const bytes of [file, await exported(started, '?at=6'), await exported(started, '', 'b')]) {
      const text = Buffer.from(bytes).toString('latin1')
      expect(text).toContain('kept')
      for (const word of ['written-over', 'deleted-text', 'somebody', 'sent-', 'label-'])
        expect(text).not.toContain(word)
    }
  })

  test('sends nothing to who has it, and ranges to who asks for them', async () => {
    const { send } = await withNotes('n')
    const whole = await send(`GET ${a}/export`)
    const bytes = new Uint8Array(await whole.arrayBuffer())
    const etag = whole.headers.get('etag')!
    expect((await send(`GET ${a}/export`, undefined, { 'if-none-match': `"x", W/${etag}` })).status).toBe(304)
    const part = await send(`GET ${a}/export`, undefined, { range: 'bytes=10-19', 'if-range': etag })
    expect([part.status, part.headers.get('content-range')]).toEqual([206, `bytes 10-19/${bytes.length}`])
    expect(new Uint8Array(await part.arrayBuffer())).toEqual(bytes.slice(10, 20))
    expect((await send(`GET ${a}/export`, undefined, { range: 'bytes=10-19', 'if-range': '"old"' })).status).toBe(200)
    const past = await send(`GET ${a}/export`, undefined, { range: `bytes=${bytes.length}-` })
    expect([past.status, past.headers.get('content-range')]).toEqual([416, `bytes */${bytes.length}`])
    const tail = await send(`GET ${a}/export`, undefined, { range: 'bytes=-5' })
    expect(new Uint8Array(await tail.arrayBuffer())).toEqual(bytes.slice(-5))
    const head = await send(`HEAD ${a}/export`)
    expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, `${bytes.length}`, ''])
  })

  test('has another tag after a change, and where the database was made anew', async () => {
    const { send, ask } = await withNotes('m')
    const tag = async (): Promise<string | null> => (await send(`GET ${a}/export`)).headers.get('etag')
    const first = await tag()
    expect(await tag()).toBe(first)
    await ask(`DELETE ${a}`)
    await ask(`PUT ${a}`)
    await ask(`POST ${a}/transactions`, putNote('other'))
    expect(await tag()).not.toBe(first)
  })
})

describe('import', () => {
  test('makes a database of a file, and replaces one', async () => {
    const started = await withNotes('m', 'n')
    const { ask, send } = started
    const file = await exported(started)
    expect(await ask('PUT /v1/databases/b/import', file)).toEqual({
      status: 201,
      body: { name: 'b', sequence: 1, created: true },
    })
    await ask('POST /v1/databases/b/transactions', putNote('o'))
    expect((await ask('PUT /v1/databases/b/import?label=back', file)).body['sequence']).toBe(3)
    expect(await notesIn(new Uint8Array(await (await send('GET /v1/databases/b/export')).arrayBuffer()))).toEqual([
      'm',
      'n',
    ])
    const { body } = await ask('GET /v1/databases/b/history?from=3')
    expect(body['entries']).toMatchObject([{ kind: 'import', label: 'back', changes: [{ op: 'delete', key: 'o' }] }])
  })

  test('does not take the transactions of another server for its own', async () => {
    const { ask } = startServer()
    const store = await createStore({ schema, driver: nodeSqliteDriver() })
    const driver = await nodeSqliteDriver().open(store.export())
    driver.exec(
      "create table rowcast_transactions (id text primary key, sequence integer); insert into rowcast_transactions values ('t1', 7)",
    )
    await ask('PUT /v1/databases/b/import', driver.serialize())
    expect((await ask('POST /v1/databases/b/transactions', { id: 't1', ...putNote('n') })).body).toEqual({
      id: 't1',
      sequence: 2,
    })
    driver.close()
    await store.close()
  })

  test.each([
    ['nothing', new Uint8Array(), 400],
    ['no database', 'hello', 422],
    ['a long body', new Uint8Array(2000), 413],
  ])('refuses %s, and nothing is made', async (_what, body, status) => {
    const { ask, errors } = startServer({ importBytes: 1000 })
    expect((await ask(`PUT ${a}/import`, body)).status).toBe(status)
    expect((await ask('GET /v1/databases')).body).toEqual({ databases: [] })
    expect(errors).toEqual([])
  })

  test('refuses a database of another program', async () => {
    const { ask } = startServer()
    const driver = await nodeSqliteDriver().open()
    driver.exec('create table note (id text)')
    const answer = await ask(`PUT ${a}/import`, driver.serialize())
    driver.close()
    expect(answer.status).toBe(422)
    expect((await ask('GET /v1/databases')).body).toEqual({ databases: [] })
  })
})

describe('snapshots, rollback, fork', () => {
  test('a snapshot is listed, and the state goes back to its label', async () => {
    const { ask } = await withNotes('m')
    expect(await ask(`POST ${a}/snapshots`, { label: 'v1' })).toEqual({
      status: 201,
      body: { sequence: 2, label: 'v1' },
    })
    expect((await ask(`POST ${a}/snapshots`)).body).toEqual({ sequence: 2, label: 'v1' })
    expect((await ask(`POST ${a}/snapshots`, { label: 'v2' })).status).toBe(409)
    await ask(`POST ${a}/transactions`, putNote('n'))
    expect((await ask(`POST ${a}/rollback`, { to: 'v1' })).body).toEqual({ sequence: 4, to: 2 })
    expect((await ask(`GET ${a}/snapshots`)).body['snapshots']).toMatchObject([
      { sequence: 1 },
      { sequence: 2, label: 'v1' },
    ])
    const { body } = await ask(`GET ${a}/history?from=4`)
    expect(body['entries']).toMatchObject([
      { kind: 'rollback', label: 'back to v1', changes: [{ op: 'delete', key: 'n' }] },
    ])
    expect((await ask(`POST ${a}/rollback`, { to: 3 })).body).toEqual({ sequence: 5, to: 3 })
    expect((await ask(`POST ${a}/rollback`, { to: 'v9' })).status).toBe(404)
    expect((await ask(`POST ${a}/rollback`, { to: 99 })).status).toBe(404)
    expect((await ask(`POST ${a}/rollback`, { to: 1.5 })).status).toBe(400)
  })

  test('a transaction sent again after a rollback is still known', async () => {
    const { ask } = await withNotes()
    const once = { id: 't1', ...putNote('n') }
    await ask(`POST ${a}/transactions`, once)
    await ask(`POST ${a}/rollback`, { to: 1 })
    expect((await ask(`POST ${a}/transactions`, once)).body).toEqual({ id: 't1', sequence: 2, known: true })
  })

  test('a fork begins with the state of then, and goes its own way', async () => {
    const started = await withNotes('m', 'n')
    const { ask } = started
    expect((await ask(`POST ${a}/fork`, { name: 'b', at: 2 })).body).toEqual({
      name: 'b',
      sequence: 1,
      from: { database: 'a', sequence: 2 },
    })
    await ask('POST /v1/databases/b/transactions', putNote('o'))
    expect(await notesIn(await exported(started, '', 'b'))).toEqual(['m', 'o'])
    expect(await notesIn(await exported(started))).toEqual(['m', 'n'])
    expect((await ask('GET /v1/databases/b/history')).body['entries']).toMatchObject([
      { kind: 'created', from: { database: 'a', sequence: 2 } },
      {},
    ])
    expect((await ask(`POST ${a}/fork`, { name: 'b' })).status).toBe(409)
    expect((await ask(`POST ${a}/fork`, { name: '../b' })).status).toBe(400)
    expect((await ask(`POST ${a}/fork`, { name: 'c', at: 99 })).status).toBe(404)
  })
})

describe('history', () => {
  test('comes in parts, and all at once as lines', async () => {
    const { ask, send } = await withNotes('m', 'n', 'o')
    const first = await ask(`GET ${a}/history?limit=3`)
    expect(first.body).toMatchObject({
      entries: [{ sequence: 1 }, { sequence: 2 }, { sequence: 3 }],
      first: 1,
      last: 4,
      next: 4,
    })
    const last = await ask(`GET ${a}/history?limit=3&from=4`)
    expect(last.body).toMatchObject({ entries: [{ sequence: 4 }] })
    expect(last.body).not.toHaveProperty('next')
    expect((await ask(`GET ${a}/history?from=99`)).body).toMatchObject({ entries: [] })
    const lines = await (await send(`GET ${a}/history?from=2`, undefined, { accept: 'application/x-ndjson' })).text()
    expect(
      lines
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { sequence: number }).sequence),
    ).toEqual([2, 3, 4])
    expect((await ask(`GET ${a}/history?limit=0`)).status).toBe(400)
  })

  test('that nobody reads on lets go of the database', async () => {
    const { send, ask, server } = startServer({ idleMs: 0 })
    await ask(`PUT ${a}`)
    const response = await send(`GET ${a}/history`, undefined, { accept: 'application/x-ndjson' })
    expect(server.databases.opened).toBe(1)
    await response.body!.cancel()
    await expect.poll(() => server.databases.opened).toBe(0)
  })
})
