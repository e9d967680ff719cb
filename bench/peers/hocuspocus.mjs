// Yjs with Hocuspocus: every client a Y.Doc with its provider; the server keeps one in memory.
import { HocuspocusProvider, HocuspocusProviderWebsocket } from '@hocuspocus/provider'
import { Server } from '@hocuspocus/server'
import { createDecoder, readVarUint8Array } from 'lib0/decoding'
import { writeVarString, writeVarUint, createEncoder, toUint8Array } from 'lib0/encoding'
import { WebSocket } from 'ws'
import { messageYjsSyncStep1 } from 'y-protocols/sync'
import * as Y from 'yjs'

const name = 'bench'

class Socket extends WebSocket {
  static bytes = new Map()

  constructor(address, protocols) {
    super(address, protocols, { perMessageDeflate: false })
    Socket.bytes.set(this, 0)
    this.openedAt = performance.now()
    this.on('message', (data) => Socket.bytes.set(this, Socket.bytes.get(this) + (data.length ?? data.byteLength)))
  }
}

async function join(port) {
  const websocketProvider = new HocuspocusProviderWebsocket({
    url: `ws://127.0.0.1:${port}`,
    WebSocketPolyfill: Socket,
    delay: 10,
    minDelay: 10,
  })
  const document = new Y.Doc()
  const synced = []
  const provider = new HocuspocusProvider({
    websocketProvider,
    name,
    document,
    onSynced: () => {
      for (const resolve of synced.splice(0)) resolve()
    },
  })
  provider.attach()
  await new Promise((resolve) => (provider.synced ? resolve() : synced.push(resolve)))
  const items = document.getMap('items')
  const listeners = new Map()
  items.observe((event) => {
    for (const key of event.keysChanged) for (const listen of listeners.get(key) ?? []) listen(items.get(key))
  })
  return {
    set: (row, value) => items.set(`r${row}`, value),
    heard: (row, listen) => {
      const key = `r${row}`
      listeners.set(key, [...(listeners.get(key) ?? []), listen])
    },
    // In the memory of the server.
    settled: () =>
      new Promise((resolve) => {
        if (!provider.hasUnsyncedChanges) {
          resolve()
          return
        }
        const heard = ({ number }) => {
          if (number > 0) return
          provider.off('unsyncedChanges', heard)
          resolve()
        }
        provider.on('unsyncedChanges', heard)
      }),
    leave: () => {
      websocketProvider.disconnect()
      return async () => {
        const again = new Promise((resolve) => synced.push(resolve))
        const from = performance.now()
        await websocketProvider.connect()
        await again
        return { from, bytes: () => Socket.bytes.get(websocketProvider.webSocket) ?? 0 }
      }
    },
    close: () => {
      provider.destroy()
      websocketProvider.destroy()
      document.destroy()
    },
  }
}

/** Authenticates, asks for the document, and counts the updates that come after it. */
function listen(port, took) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: false })
    const message = (...write) => {
      const encoder = createEncoder()
      writeVarString(encoder, name)
      for (const one of write)
        if (typeof one === 'string') writeVarString(encoder, one)
        else writeVarUint(encoder, one)
      return toUint8Array(encoder)
    }
    // Of a message: the document's name with its length, then type 0 (sync), then step 1, 2 or an update (2).
    const at = name.length + 1
    socket.on('error', reject)
    socket.on('open', () => {
      socket.send(message(2, 0, '', '4.7.0'))
      // An empty state vector: its length (one byte), and no clients.
      socket.send(message(0, messageYjsSyncStep1, 1, 0))
    })
    socket.on('message', (data) => {
      if (data[at] !== 0) return
      if (data[at + 1] === 1) resolve({ close: () => socket.terminate() })
      else if (data[at + 1] === 2) took(changesIn(readVarUint8Array(createDecoder(data.subarray(at + 2)))))
    })
  })
}

/** The provider merges what is set in one turn: every set advances its client's clock by one. */
function changesIn(update) {
  const { from, to } = Y.parseUpdateMeta(update)
  let changes = 0
  for (const [client, clock] of to) changes += clock - (from.get(client) ?? 0)
  return changes
}

export const contender = {
  name: 'Hocuspocus 4.7 (Yjs)',
  serve: async () => {
    const server = new Server({ port: 0, quiet: true, stopOnSignals: false })
    await server.listen(0)
    return { port: server.address.port, close: () => server.destroy() }
  },
  join,
  listen,
}
