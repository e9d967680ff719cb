import { firstValueFrom, filter } from 'rxjs'
import { describe, expect, test } from 'vitest'
import { WebSocket as WsWebSocket } from 'ws'
import { RowcastError } from '../../../src/errors/index.ts'
import { webSocketTransport } from '../../../src/transport/transports/index.ts'
import { deadHost, listenWebSocket, Recorder } from './peer.ts'
import { runTransportContract } from './transport-contract.ts'

for (const [name, WebSocket] of [
  ["webSocketTransport over the platform's WebSocket", undefined],
  ['webSocketTransport over that of ws', WsWebSocket],
] as const)
  runTransportContract(name, async (accept) => {
    const { host, stop } = await listenWebSocket(accept)
    const nowhere = await deadHost()
    return {
      create: () => webSocketTransport({ url: `ws://${host}/v1/databases/scene/sync`, WebSocket }),
      createUnreachable: () => webSocketTransport({ url: `ws://${nowhere}`, WebSocket }),
      stop,
    }
  })

describe('webSocketTransport', () => {
  test('refuses binary frames by ending the connection', async () => {
    const server = new Recorder()
    const { host, stop, sockets } = await listenWebSocket(server.accept)
    sockets.on('connection', (socket) => {
      socket.send('text')
      socket.send(Buffer.from('text'))
      socket.send('more')
    })
    const transport = webSocketTransport({ url: `ws://${host}` })
    const messages: string[] = []
    transport.messages$.subscribe((message) => messages.push(message))
    transport.open('db')
    await firstValueFrom(transport.status$.pipe(filter(({ state }) => state === 'open')))
    const { reason } = await firstValueFrom(transport.status$.pipe(filter(({ state }) => state === 'closed')))
    expect(reason).toMatch(/binary/)
    expect(messages).toEqual(['text'])
    await stop()
  })

  test('says with a reason, and does not throw, that a URL can not be one of a socket', () => {
    const transport = webSocketTransport({ url: 'ftp://nowhere' })
    const said: string[] = []
    transport.status$.subscribe(({ state, reason }) => said.push(state, reason ?? 'no reason'))
    transport.open('db')
    expect(said.slice(0, 5)).toEqual(['closed', 'no reason', 'connecting', 'no reason', 'closed'])
    expect(said[5]).toMatch(/ftp:\/\/nowhere/)
  })

  test('asks for a WebSocket where the platform has none', () => {
    const platform = globalThis.WebSocket
    Reflect.deleteProperty(globalThis, 'WebSocket')
    try {
      expect(() => webSocketTransport({ url: 'ws://x.test' })).toThrow(RowcastError)
    } finally {
      globalThis.WebSocket = platform
    }
  })
})
