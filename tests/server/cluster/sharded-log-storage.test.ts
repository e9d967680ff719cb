import { randomUUID } from 'node:crypto'
import { expect, onTestFinished, test } from 'vitest'
import { S3ObjectStore } from '../../../src/server/bucket/index.ts'
import { BucketSlotLog, Shard, ShardArchive, ShardedLogStorage } from '../../../src/server/cluster/index.ts'
import type { Log, LogStorage } from '../../../src/server/log.ts'
import { Bucket } from '../../support/s3-seat.ts'
import { S3Server } from '../../support/s3-server/index.ts'
import { runLogContract } from '../storage/log-contract.ts'

interface Node {
  readonly storage: ShardedLogStorage
  readonly shards: readonly Shard[]
}

/** A server's view of two shards in a bucket. */
function openNode(server: S3Server): Node {
  const store = new S3ObjectStore({ url: `s3://${Bucket}/c`, endpoint: server.url, credentials: server.credentials })
  const node = { id: randomUUID() }
  const shards = [0, 1].map(
    (n) =>
      new Shard({
        slots: new BucketSlotLog(store, `shards/${n}/slots/`),
        archive: new ShardArchive(store, `shards/${n}/checkpoints/`),
        node,
      }),
  )
  return { storage: new ShardedLogStorage(shards), shards }
}

/** Puts the tail into segments after every append. */
function archiving({ storage, shards }: Node): LogStorage {
  return {
    list: () => storage.list(),
    delete: (database) => storage.delete(database),
    open: async (database, options) => {
      const log = await storage.open(database, options)
      return {
        bounds: () => log.bounds(),
        append: async (...args) => {
          await log.append(...args)
          for (const shard of shards) await shard.archive()
        },
        read: (from, limit) => log.read(from, limit),
        bytes: (from, to) => log.bytes(from, to),
        trim: (before) => log.trim(before),
        close: () => log.close(),
      }
    },
  }
}

runLogContract('shards in a bucket', async () => {
  const server = await S3Server.open({ buckets: [Bucket] })
  return { storage: () => openNode(server).storage, dispose: () => server.close() }
})

runLogContract('shards in a bucket whose tails are always in segments', async () => {
  const server = await S3Server.open({ buckets: [Bucket] })
  return { storage: () => archiving(openNode(server)), dispose: () => server.close() }
})

async function openServer(): Promise<S3Server> {
  const server = await S3Server.open({ buckets: [Bucket] })
  onTestFinished(() => server.close())
  return server
}

async function readAll(log: Log, from = 1): Promise<string[]> {
  const payloads: string[] = []
  for await (const { payload } of log.read(from)) payloads.push(payload)
  return payloads
}

test('a server that looked away while the log was trimmed goes on from a checkpoint', async () => {
  const server = await openServer()
  const [one, other] = [openNode(server), openNode(server)]
  const log = await one.storage.open('plan', { create: true })
  const late = await other.storage.open('plan')
  const all = Array.from({ length: 200 }, (_, n) => `${n + 1}`)
  for (const [last, payload] of all.entries()) await log.append([payload], last)
  for (const shard of one.shards) await shard.archive()
  await log.append(['201'], 200)
  expect(await readAll(late)).toEqual([...all, '201'])
  await late.append(['202'], 201)
  expect(await readAll(log)).toEqual([...all, '201', '202'])
  expect(await readAll(await openNode(server).storage.open('plan'))).toEqual([...all, '201', '202'])
})

test('an owner that was frozen past a trim acknowledges nothing into a slot that was trimmed', async () => {
  const server = await openServer()
  const frozen = openNode(server)
  const log = await frozen.storage.open('plan', { create: true })
  await log.append(['1'], 0)
  const other = openNode(server)
  const theirs = await other.storage.open('plan')
  for (let last = 1; last < 150; last++) await theirs.append([`${last + 1}`], last)
  for (const shard of other.shards) await shard.archive()
  await expect(log.append(['mine'], 1)).rejects.toMatchObject({ code: 'log-conflict', last: 150 })
  await log.append(['151'], 150)
  expect(await readAll(theirs)).toEqual(Array.from({ length: 151 }, (_, n) => `${n + 1}`))
})
