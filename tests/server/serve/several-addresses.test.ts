import { createStore } from 'rowcast'
import { sseTransport, webSocketTransport } from 'rowcast/transport'
import { filter, firstValueFrom, skipWhile } from 'rxjs'
import { expect, onTestFinished, test } from 'vitest'
import { platformTimers } from '../../../src/transport/sync/timers.ts'
import { schema } from '../http/support.ts'
import { a, folder, serve } from './serve-process.ts'

/** A server of its own, with a database that holds a note of the server's name. */
async function node(name: string) {
  const { child, url } = await serve(await folder(), '--create')
  const body = { id: `put-${name}`, changes: [{ table: 'note', key: name, op: 'put', after: { id: name } }] }
  await fetch(`${url}${a}`, { method: 'PUT' })
  const { status } = await fetch(`${url}${a}/transactions`, { method: 'POST', body: JSON.stringify(body) })
  expect(status).toBe(200)
  return { child, url }
}

test.each([
  ['WebSocket', webSocketTransport],
  ['server-sent events', sseTransport],
])('a client over %s whose server is killed goes on with the other', async (_name, create) => {
  const nodes = [await node('one'), await node('other')]
  const store = await createStore({
    schema,
    sync: {
      database: 'a',
      transport: create({
        url: () => Promise.resolve(nodes.map(({ url }) => url)),
        timers: { ...platformTimers, random: () => 0 },
      }),
    },
  })
  onTestFinished(() => store.close())
  const live = filter(({ state }: { readonly state: string }) => state === 'live')
  const has = (id: string): boolean => store.table('note').get(id) !== undefined
  await firstValueFrom(store.sync.status$.pipe(live))
  expect([has('one'), has('other')]).toEqual([true, false])
  const again = firstValueFrom(
    store.sync.status$.pipe(
      skipWhile(({ state }) => state === 'live'),
      live,
    ),
  )
  nodes[0]!.child.kill('SIGKILL')
  await again
  await expect.poll(() => has('other')).toBe(true)
})
