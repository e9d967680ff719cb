import { createStore } from 'rowcast'
import { createServer, memoryStorage } from 'rowcast/server'
import { memoryTransport, type Accept } from 'rowcast/transport'
import { filter, firstValueFrom } from 'rxjs'
import { expect, test } from 'vitest'
import { sceneSchema, settled } from '../../support/sync-world.ts'

test('a store that starts with an exported file fetches only what has changed since', async () => {
  const server = createServer({ schema: sceneSchema, storage: memoryStorage() })
  await server.databases.create('scene')
  const open = (accept: Accept, more: { data?: Uint8Array; position?: string } = {}) =>
    createStore({
      schema: sceneSchema,
      ...(more.data && { data: more.data }),
      sync: {
        transport: memoryTransport(accept),
        database: 'scene',
        ...(more.position !== undefined && { position: more.position }),
      },
    })
  const ann = await open(server.accept)
  ann.table('note').insert([{ id: 1, slug: 'one' }, { id: 2 }])
  await settled(ann)

  const response = await server.fetch(new Request('http://x.test/v1/databases/scene/export'))
  const data = new Uint8Array(await response.arrayBuffer())
  const position = response.headers.get('rowcast-position')!
  ann.table('note').set(1, 'size', 5)
  ann.table('note').delete(2)
  await settled(ann)

  const heard: string[] = []
  const listening: Accept = (connection, request) =>
    server.accept(
      {
        send: (message) => {
          heard.push(message)
          connection.send(message)
        },
        get buffered() {
          return connection.buffered
        },
        close: (code, reason) => connection.close(code, reason),
      },
      request,
    )
  const bob = await open(listening, { data, position })
  expect(bob.table('note').get(1)).toMatchObject({ slug: 'one', size: 10 })
  await firstValueFrom(
    bob
      .table('note')
      .row$(2)
      .pipe(filter((row) => row === undefined)),
  )
  expect(bob.table('note').all()).toEqual(ann.table('note').all())
  expect(heard.filter((message) => message.includes('"type":"rows"'))).toEqual([])
  await Promise.all([ann.close(), bob.close(), server.close()])
})
