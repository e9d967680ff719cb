import { filter, firstValueFrom, map } from 'rxjs'
import { expect, onTestFinished, test } from 'vitest'
import { sseTransport } from '../../../src/transport/index.ts'
import { putNote, startServer } from '../http/support.ts'
import type { Message } from './raw-client.ts'

test('the sync protocol runs over server-sent events and POSTs', async () => {
  const { server, ask } = startServer()
  const { url } = await server.listen({ port: 0 })
  await ask('PUT /v1/databases/a')
  const transport = sseTransport({ url })
  onTestFinished(() => transport.close())
  const messages$ = transport.messages$.pipe(map((text) => JSON.parse(text) as Message))
  const next = (type: string): Promise<Message> => firstValueFrom(messages$.pipe(filter((one) => one.type === type)))
  const opened = firstValueFrom(transport.status$.pipe(filter(({ state }) => state === 'open')))
  transport.open('a')
  await opened
  const rows = next('rows')
  const hello = {
    type: 'hello',
    n: 0,
    protocol: 3,
    schemaVersion: 1,
    database: 'a',
    subscriptions: [{ id: 'all', sets: [] }],
  }
  transport.send(JSON.stringify(hello))
  await rows
  const commits = next('commits')
  await ask('POST /v1/databases/a/transactions', putNote('n'))
  expect(await commits).toMatchObject({ sequence: 2, commits: [{ changes: [{ key: 'n' }] }] })
  const closing = next('closing')
  await server.close()
  expect(await closing).toMatchObject({ code: 'shutting-down' })
})
