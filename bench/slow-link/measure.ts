import { filter, firstValueFrom } from 'rxjs'
import { createStore, defineSchema, type Store } from 'rowcast'
import { nodeSqliteDriver } from 'rowcast/node'
import { createServer, memoryStorage } from 'rowcast/server'
import { sseTransport, webSocketTransport } from 'rowcast/transport'
import { Random } from '../../tests/support/random.ts'
import { ThrottledProxy, type Way } from '../../tests/support/throttled-proxy.ts'

const MB = 1_000_000
const database = 'd'
const text = { type: 'string' } as const
const input = {
  version: 1,
  tables: {
    card: {
      primaryKey: 'id',
      schema: { type: 'object', required: ['id'], properties: { id: text, title: text } },
    },
  },
} as const
const schema = defineSchema(input)

type Client = Store<typeof input>

interface World {
  readonly near: Client
  readonly proxy: ThrottledProxy
  readonly join: () => Promise<Client>
}

/** Something large, and the link that it goes over. */
export interface Case {
  readonly name: string
  readonly way: Way
  /** Bytes a second. */
  readonly rate: number
  /** Rows, and the length of a title. */
  readonly rows: number
  readonly length: number
  /** What comes before the clock begins. Gives what is measured. */
  prepare(world: World, rows: readonly Row[]): Promise<() => Promise<unknown>>
}

interface Row {
  readonly id: string
  readonly title: string
}

export const cases: readonly Case[] = [
  {
    name: 'down',
    way: 'down',
    rate: 100_000,
    rows: 1,
    length: 4 * MB,
    async prepare({ near, join }, rows) {
      const far = await join()
      await settled(far)
      return async () => {
        near.table('card').insert(rows)
        await until(far, rows.at(-1)!.id)
      }
    },
  },
  {
    name: 'copy',
    way: 'down',
    rate: 100_000,
    rows: 4_000,
    length: 970,
    async prepare({ near, join }, rows) {
      near.table('card').insert(rows)
      await settled(near)
      return async () => settled(await join())
    },
  },
  {
    name: 'up',
    way: 'up',
    rate: 60_000,
    rows: 7_500,
    length: 970,
    async prepare({ near, join }, rows) {
      const far = await join()
      await settled(far)
      return async () => {
        far.table('card').insert(rows)
        await settled(far)
        await until(near, rows.at(-1)!.id)
      }
    },
  },
  {
    name: 'missed',
    way: 'down',
    rate: 300_000,
    rows: 12_000,
    length: 970,
    async prepare({ near, proxy, join }, rows) {
      const far = await join()
      await settled(far)
      proxy.cut()
      for (let at = 0; at < rows.length; at += 1_000) near.table('card').insert(rows.slice(at, at + 1_000))
      await settled(near)
      return async () => {
        proxy.restore()
        await until(far, rows.at(-1)!.id)
        await settled(far)
      }
    },
  },
]

export interface Circumstances {
  readonly kind: string
  readonly cuts: number
  readonly delayMs: number
  /** So many times as fast a link. */
  readonly faster: number
  readonly seed: number
}

export interface Measured {
  readonly name: string
  readonly link: string
  /** Bytes of the rows as JSON. */
  readonly content: number
  readonly passed: number
  readonly neededMs: number
  readonly tookMs: number
  readonly connections: number
}

export async function measure(
  { name, way, rate, rows: count, length, prepare }: Case,
  { kind, cuts, delayMs, faster, seed }: Circumstances,
): Promise<Measured> {
  const server = createServer({ schema, storage: memoryStorage() })
  const { url } = await server.listen({ port: 0 })
  await server.databases.create(database)
  const proxy = await ThrottledProxy.open(url, { [way]: rate * faster, delayMs })
  const near = await open(url, 'webSocketTransport')
  await settled(near)
  const title = 'abcdefghijklmnopqrstuvwxyz012345'.repeat(Math.ceil(length / 32)).slice(0, length)
  const rows = Array.from({ length: count }, (_, n): Row => ({ id: `card ${String(n).padStart(6, '0')}`, title }))
  const content = JSON.stringify(rows).length
  const work = await prepare({ near, proxy, join: () => open(proxy.url, kind) }, rows)
  const before = proxy.bytes[way]
  const accepted = proxy.accepted
  const random = new Random(seed)
  proxy.dropAt(way, ...Array.from({ length: cuts }, () => before + random.int(content)).toSorted((a, b) => a - b))
  const from = performance.now()
  await work()
  const tookMs = performance.now() - from
  return {
    name,
    link: `${kind.replace('Transport', '')}${delayMs > 0 ? `, ${delayMs} ms` : ''}${cuts > 0 ? `, cut ${cuts} times` : ''}`,
    content,
    passed: proxy.bytes[way] - before,
    neededMs: (content / rate / faster) * 1000,
    tookMs,
    connections: proxy.accepted - accepted,
  }
}

function open(url: string, kind: string): Promise<Client> {
  const transport =
    kind === 'sseTransport' ? sseTransport({ url }) : webSocketTransport({ url: url.replace('http', 'ws') })
  return createStore({ schema, driver: nodeSqliteDriver(), sync: { transport, database } })
}

async function settled(store: Client): Promise<void> {
  await firstValueFrom(store.sync.status$.pipe(filter(({ state, pending }) => state === 'live' && pending === 0)))
}

async function until(store: Client, id: string): Promise<void> {
  await firstValueFrom(
    store
      .table('card')
      .row$(id)
      .pipe(filter((row) => row !== undefined)),
  )
}
