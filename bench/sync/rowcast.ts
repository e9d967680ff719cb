import { filter, firstValueFrom } from 'rxjs'
import { createStore, defineSchema } from 'rowcast'
import { nodeSqliteDriver } from 'rowcast/node'
import { createServer, fileStorage } from 'rowcast/server'
import { webSocketTransport } from 'rowcast/transport'
import { WebSocket } from 'ws'
import type { Contender, Editor } from './contender.ts'

/** Rows that are edited. */
export const ROWS = 1_000
const database = 'bench'
const keyOf = (row: number): string => `r${row}`

const schema = defineSchema({
  version: 1,
  tables: {
    item: {
      primaryKey: 'id',
      schema: {
        type: 'object',
        required: ['id'],
        additionalProperties: false,
        properties: {
          id: { type: 'string' },
          label: { type: 'string', default: '' },
          x: { type: 'number', default: 0 },
        },
      },
    },
  },
})

/** A socket that counts what it takes, and that can be cut off. */
function sockets(): {
  readonly WebSocket: typeof WebSocket
  readonly cut: () => void
  readonly mend: () => void
  readonly bytes: () => number
  readonly openedAt: () => number
} {
  let [online, bytes, openedAt] = [true, 0, 0]
  let current: WebSocket | undefined
  const track = (socket: WebSocket): void => {
    current = socket
    bytes = 0
    openedAt = performance.now()
  }
  class Counted extends WebSocket {
    constructor(address: string | URL, protocols?: string | string[]) {
      // Nobody listens on the discard port.
      super(online ? address : 'ws://127.0.0.1:9', protocols ?? [], { perMessageDeflate: false })
      track(this)
      this.on('message', (data) => {
        bytes += (data as Buffer).length
      })
    }
  }
  return {
    WebSocket: Counted as typeof WebSocket,
    cut: () => {
      online = false
      current?.terminate()
    },
    mend: () => {
      online = true
    },
    bytes: () => bytes,
    openedAt: () => openedAt,
  }
}

async function open(port: number) {
  const wire = sockets()
  const store = await createStore({
    schema,
    driver: nodeSqliteDriver(),
    sync: { transport: webSocketTransport({ url: `ws://127.0.0.1:${port}`, WebSocket: wire.WebSocket }), database },
  })
  const live = (): Promise<unknown> => firstValueFrom(store.sync.status$.pipe(filter(({ state }) => state === 'live')))
  const settled = async (): Promise<void> => {
    await firstValueFrom(store.sync.status$.pipe(filter(({ pending, state }) => pending === 0 && state === 'live')))
  }
  await live()
  return { store, wire, live, settled }
}

async function join(port: number): Promise<Editor> {
  const { store, wire, live, settled } = await open(port)
  const items = store.table('item')
  return {
    set: (row, value) => items.set(keyOf(row), 'x', value),
    heard: (row, listener) => {
      items.field$(keyOf(row), 'x').subscribe((value) => {
        if (value !== undefined) listener(value as number)
      })
    },
    settled,
    leave: () => {
      wire.cut()
      return async () => {
        await firstValueFrom(store.sync.status$.pipe(filter(({ state }) => state !== 'live')))
        wire.mend()
        await live()
        return { from: wire.openedAt(), bytes: wire.bytes }
      }
    },
    close: () => store.close(),
  }
}

/** Makes the rows that are edited. */
export async function fill(port: number): Promise<void> {
  const editor = await open(port)
  editor.store.table('item').insert(Array.from({ length: ROWS }, (_, row) => ({ id: keyOf(row) })))
  await editor.settled()
  await editor.store.close()
}

/** A line of the protocol: says hello, and reads the sequence number of what comes. */
function listen(port: number, took: (changes: number) => void): ReturnType<Contender['listen']> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/v1/databases/${database}/sync`, { perMessageDeflate: false })
    let sequence: number | undefined
    const close = (): void => socket.terminate()
    socket.on('error', reject)
    socket.on('open', () =>
      socket.send(
        JSON.stringify({
          type: 'hello',
          n: 0,
          protocol: 3,
          schemaVersion: 1,
          database,
          subscriptions: [{ id: '1', sets: [] }],
        }),
      ),
    )
    socket.on('message', (data: Buffer) => {
      // It is the message's last property, but that it may be missing from messages that change nothing.
      const end = data.subarray(-40).toString('latin1')
      const found = /"sequence":(\d+)\}$/.exec(end)
      if (!found) {
        if (data.includes('"type":"closing"')) reject(new Error(data.toString()))
        return
      }
      const now = Number(found[1])
      if (sequence === undefined) resolve({ close })
      else took(now - sequence)
      sequence = now
    })
  })
}

export const rowcast: Contender = {
  name: 'rowcast',
  serve: async (directory) => {
    const server = createServer({ schema, storage: fileStorage(directory) })
    await server.databases.create(database)
    const { port } = await server.listen({ port: 0 })
    return { port, close: () => server.close() }
  },
  join,
  listen,
}
