import { randomUUID } from 'node:crypto'
import { expect, onTestFinished, test } from 'vitest'
import { S3ObjectStore } from '../../../src/server/bucket/index.ts'
import { BucketSlotLog, Shard, ShardedLogStorage } from '../../../src/server/cluster/index.ts'
import type { Log } from '../../../src/server/log.ts'
import { Bucket } from '../../support/s3-seat.ts'
import { S3Server, type Fault } from '../../support/s3-server/index.ts'

async function openBucket(): Promise<S3Server> {
  const server = await S3Server.open({ buckets: [Bucket] })
  onTestFinished(() => server.close())
  return server
}

function openLog({ url: endpoint, credentials }: S3Server): Promise<Log> {
  const store = new S3ObjectStore({ url: `s3://${Bucket}/c`, endpoint, credentials }, { patienceMs: 0 })
  const shard = new Shard({ slots: new BucketSlotLog(store, 'slots/'), node: { id: randomUUID() } })
  return new ShardedLogStorage([shard]).open('plan', { create: true })
}

async function readAll(log: Log): Promise<string[]> {
  const payloads: string[] = []
  for await (const { payload } of log.read(1)) payloads.push(payload)
  return payloads
}

/** The next write takes one of these fates after the other. */
function failWrites(server: S3Server, ...faults: Fault[]): void {
  server.fault = ({ operation }) => (operation === 'PutObject' ? faults.shift() : undefined)
}

const forbidden: Fault = { kind: 'answer', code: 'AccessDenied' }

test('an owner of whose append nobody knew decides the next one behind it, where it went in', async () => {
  const server = await openBucket()
  const log = await openLog(server)
  await log.append(['1'], 0)
  failWrites(server, { kind: 'reset', when: 'after' }, forbidden)
  await expect(log.append(['2'], 1)).rejects.toMatchObject({ code: 'log-uncertain' })
  await expect(log.append(['other'], 1)).rejects.toMatchObject({ code: 'log-conflict', last: 2 })
  await log.append(['3'], 2)
  for (const one of [log, await openLog(server)]) expect(await readAll(one)).toEqual(['1', '2', '3'])
})

test('what a log tells after an append of which nobody knew stays so, though it arrives late', async () => {
  const server = await openBucket()
  const log = await openLog(server)
  await log.append(['1'], 0)
  let arrive = (): void => undefined
  const wait = new Promise<void>((resolve) => (arrive = resolve))
  failWrites(server, { kind: 'late', wait, told: 'reset' }, forbidden)
  await expect(log.append(['2'], 1)).rejects.toMatchObject({ code: 'log-uncertain' })
  expect(await readAll(log)).toEqual(['1'])
  arrive()
  await server.settled()
  expect(await readAll(log)).toEqual(['1'])
  await log.append(['other'], 1)
  for (const one of [log, await openLog(server)]) expect(await readAll(one)).toEqual(['1', 'other'])
})
