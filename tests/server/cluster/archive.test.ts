import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { S3ObjectStore } from '../../../src/server/bucket/index.ts'
import { BucketSlotLog, Shard, ShardArchive, ShardedLogStorage } from '../../../src/server/cluster/index.ts'
import type { Log } from '../../../src/server/log.ts'
import { Bucket, prepareS3 } from '../../support/s3-seat.ts'

const s3 = prepareS3()

function openShard(): Shard {
  const { url: endpoint, credentials } = s3.server
  const store = new S3ObjectStore({ url: `s3://${Bucket}`, endpoint, credentials }, { patienceMs: 0 })
  const archive = new ShardArchive(store, 'checkpoints/')
  return new Shard({ slots: new BucketSlotLog(store, 'slots/'), archive, node: { id: randomUUID() } })
}

async function append(log: Log, from: number, to: number): Promise<void> {
  for (let last = from; last < to; last++) await log.append([`${last + 1}`], last)
}

async function readAll(log: Log): Promise<string[]> {
  const payloads: string[] = []
  for await (const { payload } of log.read(1)) payloads.push(payload)
  return payloads
}

async function count(Prefix: string): Promise<number> {
  return (await s3.list({ Prefix })).keys.length
}

test('what is in segments is not put there again, by whom ever', async () => {
  const shard = openShard()
  expect(shard.tail.records).toBe(0)
  await append(await new ShardedLogStorage([shard]).open('plan', { create: true }), 0, 2)
  expect(shard.tail.records).toBeGreaterThan(0)
  await shard.archive()
  expect(shard.tail).toMatchObject({ bytes: 0, records: 0 })
  const other = openShard()
  await other.refresh()
  expect(other.tail).toMatchObject({ bytes: 0, records: 0 })
})

test('checkpoints that nobody needs any more are deleted', async () => {
  const shard = openShard()
  const log = await new ShardedLogStorage([shard]).open('plan', { create: true })
  for (let n = 0; n < 6; n++) {
    await append(log, 20 * n, 20 * (n + 1))
    await shard.archive()
  }
  expect(await count('checkpoints/')).toBe(2)
  expect(await count('databases/plan/log/')).toBe(6)
  // The claim, and those that are never deleted.
  expect(await count('slots/')).toBe(1 + 64)
  expect(await readAll(await new ShardedLogStorage([openShard()]).open('plan'))).toHaveLength(120)
})

test('nothing is left of an archive that failed once another one went through', async () => {
  const shard = openShard()
  const log = await new ShardedLogStorage([shard]).open('plan', { create: true })
  await append(log, 0, 2)
  s3.server.fault = ({ operation, key }) =>
    operation === 'PutObject' && (key ?? '').startsWith('checkpoints/')
      ? { kind: 'answer', code: 'AccessDenied' }
      : undefined
  await expect(shard.archive()).rejects.toThrow('AccessDenied')
  s3.server.fault = undefined
  expect(await readAll(log)).toEqual(['1', '2'])
  await shard.archive()
  expect(await count('databases/plan/log/')).toBe(1)
  expect(await readAll(log)).toEqual(['1', '2'])
})

test('segments of which it was not known that they were deleted are deleted later', async () => {
  const shard = openShard()
  const log = await new ShardedLogStorage([shard]).open('plan', { create: true })
  await append(log, 0, 2)
  await shard.archive()
  await append(log, 2, 4)
  await log.trim(3)
  s3.server.fault = ({ operation }) =>
    operation === 'DeleteObjects' ? { kind: 'answer', code: 'AccessDenied' } : undefined
  await expect(shard.archive()).rejects.toThrow('AccessDenied')
  s3.server.fault = undefined
  await shard.archive()
  const { keys } = await s3.list({ Prefix: 'databases/plan/log/' })
  expect(keys).toEqual([expect.stringMatching(/\/3-4\./)])
})

test('an object that is no slot is passed over', async () => {
  const shard = openShard()
  const log = await new ShardedLogStorage([shard]).open('plan', { create: true })
  const late = await new ShardedLogStorage([openShard()]).open('plan')
  await s3.put('slots/notes.txt', 'x')
  await append(log, 0, 100)
  await shard.archive()
  expect(await readAll(late)).toHaveLength(100)
})
