// TinyBase's WebSocket synchroniser: every client a MergeableStore; the server passes messages on and keeps nothing.
import { createMergeableStore } from 'tinybase'
import { createWsSynchronizer } from 'tinybase/synchronizers/synchronizer-ws-client'
import { createWsServer } from 'tinybase/synchronizers/synchronizer-ws-server'
import { WebSocket, WebSocketServer } from 'ws'

const open = (port) =>
  new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/bench`, { perMessageDeflate: false })
    socket.bytes = 0
    socket.on('message', (data) => (socket.bytes += data.length))
    socket.on('error', reject)
    socket.on('open', () => resolve(socket))
  })

async function join(port) {
  const store = createMergeableStore()
  const start = async (socket) => {
    const synchronizer = await createWsSynchronizer(store, socket, 1)
    await synchronizer.startSync()
    return synchronizer
  }
  let synchronizer = await start(await open(port))
  return {
    set: (row, value) => store.setCell('item', `r${row}`, 'x', value),
    heard: (row, listen) => {
      store.addCellListener('item', `r${row}`, 'x', (_store, _table, _row, _cell, value) => listen(value))
    },
    leave: () => {
      const gone = synchronizer.destroy()
      return async () => {
        await gone
        const from = performance.now()
        const socket = await open(port)
        synchronizer = await start(socket)
        return { from, bytes: () => socket.bytes }
      }
    },
    close: () => synchronizer.destroy(),
  }
}

async function listen(port, took) {
  const socket = await open(port)
  // A message is: who it is from, a line break, then [request, type, body]; type 3 is a change.
  socket.on('message', (data) => {
    const text = data.subarray(0, 80).toString('latin1')
    if (/\n\[[^,]*,3,/.test(text)) took(1)
  })
  return { close: () => socket.terminate() }
}

export const contender = {
  name: 'TinyBase 10 (WebSocket)',
  serve: async () => {
    const sockets = new WebSocketServer({ port: 0, host: '127.0.0.1' })
    await new Promise((resolve) => sockets.once('listening', resolve))
    const server = createWsServer(sockets)
    return { port: sockets.address().port, close: () => server.destroy() }
  },
  join,
  listen,
}
