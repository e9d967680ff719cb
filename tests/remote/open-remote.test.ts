import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { createStore, defineSchema, ReadOnlyError, RowcastError, sql, SqlError, VersionError } from 'rowcast'
import { openRemote, type RemoteProgress } from 'rowcast/remote'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const tables = {
  city: {
    primaryKey: 'id',
    schema: {
      type: 'object',
      required: ['id'],
      properties: { id: { type: 'integer' }, name: { type: 'string', default: 'Nowhere' } },
    },
  },
} as const
const schema = defineSchema({ version: 2, tables })

let server: Server
let base: string

beforeAll(async () => {
  const store = await createStore({
    schema,
    data: { city: Array.from({ length: 2_000 }, (_, id) => ({ id, name: `City ${id}` })) },
  })
  const file = store.export()
  await store.close()
  server = createServer((request, response) => {
    if (request.url === '/project.db') response.writeHead(200, { 'content-length': file.length }).end(file)
    else if (request.url === '/page.html')
      response
        .writeHead(200)
        .end('<!doctype html><p>not a database at all, but long enough to be looked at</p>'.repeat(20))
    else if (request.url === '/broken.db') {
      response.writeHead(200, { 'content-length': file.length })
      response.write(file.subarray(0, 1000), () => response.destroy())
    } else response.writeHead(404).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})

afterAll(() => new Promise<void>((resolve) => server.close(() => resolve())))

describe('openRemote', () => {
  test('opens a published file as a read-only store and tells the progress', async () => {
    const progress: RemoteProgress[] = []
    const store = await openRemote(`${base}/project.db`, { schema, onProgress: (step) => progress.push(step) })
    expect(store.table('city').get(7)).toEqual({ id: 7, name: 'City 7' })
    expect(store.query(sql`select count(*) as n from city`)).toEqual([{ n: 2_000 }])
    expect(progress[0]?.loaded).toBe(0)
    expect(progress.at(-1)?.loaded).toBe(progress.at(-1)?.total)
    await store.close()
  })

  test.each(['basic', 'cors'] as const)('tells honest progress of a compressed file (%s)', async (type) => {
    const file = new Uint8Array(await (await fetch(`${base}/project.db`)).arrayBuffer())
    const compressed = gzipSync(file).length
    // As a browser has it: of another origin the length is told, and not that it is that of a compressed body.
    const headers = { 'content-length': `${compressed}`, ...(type === 'basic' && { 'content-encoding': 'gzip' }) }
    const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
      start: (controller) => {
        for (const [from, to] of [
          [0, 50],
          [50, 5_000],
          [5_000, file.length],
        ] as const)
          controller.enqueue(file.slice(from, to))
        controller.close()
      },
    })
    const response = Object.defineProperty(new Response(body, { headers }), 'type', { value: type })
    const progress: RemoteProgress[] = []
    const onProgress = (step: RemoteProgress): void => void progress.push(step)
    const store = await openRemote('http://x.test/y.db', { schema, onProgress, fetch: () => Promise.resolve(response) })
    expect(progress.map(({ total }) => total)).toEqual([undefined, undefined, file.length, file.length])
    expect(progress.at(-1)?.loaded).toBe(file.length)
    await store.close()
  })

  test('says of a compressed file that it broke off', async () => {
    const file = new Uint8Array(await (await fetch(`${base}/project.db`)).arrayBuffer())
    const response = new Response(file.slice(0, 5_000), { headers: { 'content-encoding': 'gzip' } })
    await expect(openRemote('http://x.test/y.db', { schema, fetch: () => Promise.resolve(response) })).rejects.toThrow(
      `broke off after 5000 of ${file.length} bytes`,
    )
  })

  test('an abort has a code of its own, whenever it comes', async () => {
    const aborted = { name: 'RowcastError', code: 'aborted', cause: 'enough' }
    const early = AbortSignal.abort('enough')
    await expect(openRemote(`${base}/project.db`, { schema, signal: early })).rejects.toMatchObject(aborted)
    for (const isTime of [
      ({ loaded }: RemoteProgress) => loaded === 0,
      ({ loaded }: RemoteProgress) => loaded > 0,
      ({ loaded, total }: RemoteProgress) => loaded === total,
    ]) {
      const control = new AbortController()
      const onProgress = (step: RemoteProgress): void => {
        if (isTime(step)) control.abort('enough')
      }
      const opening = openRemote(`${base}/project.db`, { schema, signal: control.signal, onProgress })
      await expect(opening).rejects.toMatchObject(aborted)
    }
  })

  test('takes the schema from the file where none is given', async () => {
    const store = await openRemote(`${base}/project.db`)
    expect(store.tables).toEqual(['city'])
    expect(store.snapshotInfo.schemaVersion).toBe(2)
    expect(store.table('city').count()).toBe(2_000)
    await store.close()
  })

  test('refuses every write with a ReadOnlyError and changes nothing', async () => {
    const store = await openRemote(`${base}/project.db`, { schema })
    const city = store.table('city')
    for (const write of [
      () => city.insert({ id: -1 }),
      () => city.upsert({ id: 1 }),
      () => city.update(1, { name: 'x' }),
      () => city.updateMany([1], { name: 'x' }),
      () => city.set(1, 'name', 'x'),
      () => city.reset(1, 'name'),
      () => city.delete(1),
      () => store.exec(sql`delete from city`),
      () => store.transaction(() => 1),
      () => store.draft(),
      () => store.import(new Uint8Array(10)),
      () => store.history.undo(),
    ])
      expect(write).toThrow(ReadOnlyError)
    expect(city.count()).toBe(2_000)
    await store.close()
  })

  test('says of a file that is no database, is missing, broken off or newer what is wrong', async () => {
    await expect(openRemote(`${base}/page.html`, { schema })).rejects.toThrow(SqlError)
    await expect(openRemote(`${base}/missing.db`, { schema })).rejects.toThrow(/404/)
    await expect(openRemote(`${base}/broken.db`, { schema })).rejects.toThrow(/broke off|could not be loaded/)
    await expect(openRemote('http://127.0.0.1:1/x.db', { schema })).rejects.toThrow(RowcastError)
    await expect(openRemote(`${base}/project.db`, { schema: defineSchema({ version: 1, tables }) })).rejects.toThrow(
      VersionError,
    )
    await expect(openRemote(`${base}/project.db`, { mode: 'range' as never })).rejects.toThrow(/mode 'range'/)
  })

  test('refuses a SQLite file that rowcast has not made', async () => {
    const { default: initSqlJs } = await import('sql.js')
    const { Database } = await initSqlJs()
    const foreign = new Database()
    foreign.run('create table t (a)')
    const bytes = foreign.export()
    await expect(
      openRemote('http://x.test/y.db', { schema, fetch: () => Promise.resolve(new Response(bytes.slice())) }),
    ).rejects.toThrow(/rowcast/)
  })
})
