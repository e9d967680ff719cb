import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { Life } from '../../../src/server/ws/life.ts'
import { startServer } from '../http/support.ts'

test('one that has given no sign since it was asked does not live', () => {
  const life = new Life()
  expect([life.ask(), life.ask()]).toEqual([true, false])
})

test('what comes from it is a sign of life', () => {
  const life = new Life()
  for (let n = 0; n < 5; n++) {
    expect(life.ask()).toBe(true)
    life.heard()
  }
})

test('it lives while it takes what waits for it, also where it never answers', () => {
  const life = new Life()
  for (let waiting = 1_000; waiting > 0; waiting -= 100) {
    life.look(waiting)
    expect(life.ask()).toBe(true)
  }
  // Nothing less waits any more: more says nothing.
  for (const waiting of [100, 200, 300]) life.look(waiting)
  expect(life.ask()).toBe(false)
})

/** A WebSocket that answers no ping. */
async function openMute(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  socket.write(
    'GET /v1/databases/a/sync HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
  )
  await once(socket, 'data')
  return socket
}

/** A text frame with a mask of nothing. */
function frameOf(text: string): Buffer {
  const body = Buffer.from(text)
  return Buffer.concat([Buffer.from([0x81, 0x80 | body.length, 0, 0, 0, 0]), body])
}

test('a WebSocket whose pings come late is kept while something comes from it, and ended when nothing does', async () => {
  const { server, ask } = startServer({ pingMs: 200 })
  const { port } = await server.listen({ port: 0 })
  await ask('PUT /v1/databases/a')
  const [speaking, silent] = [await openMute(port), await openMute(port)]
  const hello = { type: 'hello', n: 0, protocol: 4, schemaVersion: 1, database: 'a', subscriptions: [] }
  speaking.write(frameOf(JSON.stringify(hello).replaceAll(' ', '')))
  let n = 1
  let pings = 0
  // As often as it is pinged, it says something else than the pong.
  speaking.on('data', (data: Buffer) => {
    if (data[0] !== 0x89) return
    pings++
    speaking.write(frameOf(`{"type":"ping","n":${n++}}`))
  })
  await once(silent.resume(), 'close')
  await expect.poll(() => pings).toBeGreaterThan(4)
  expect(speaking.destroyed).toBe(false)
})
