import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Accept } from '../../../src/transport/connection.ts'
import { createSseHandler } from '../../../src/transport/transports/index.ts'
import { listen, listenWebSocket, type Listening, toNode } from './peer.ts'

const program = fileURLToPath(new URL('keeps-nothing-alive.ts', import.meta.url))
const echo: Accept = (connection) => ({ receive: (message) => connection.send(message), closed: () => undefined })

let servers: Listening[]
let urls: Record<'sse' | 'ws', string>

beforeAll(async () => {
  const sse = await listen(createServer(toNode(createSseHandler(echo))))
  const ws = await listenWebSocket(echo)
  servers = [sse, ws]
  urls = { sse: `http://${sse.host}`, ws: `ws://${ws.host}` }
})

afterAll(() => Promise.all(servers.map(({ stop }) => stop())))

// memoryTransport has neither timers nor sockets.
describe.each(['sse', 'ws'] as const)('a closed transport over %s', (kind) => {
  test.each(['while connecting', 'with a message under way', 'after an answer'])(
    'keeps no process alive, closed %s',
    async (ending) => {
      const child = spawn(process.execPath, [program, kind, urls[kind], ending], { stdio: 'inherit' })
      expect(await once(child, 'exit')).toEqual([0, null])
    },
  )
})
