import { setImmediate as immediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { S3ObjectStore } from '../../../src/server/bucket/index.ts'
import { BucketSlotLog } from '../../../src/server/cluster/index.ts'
import { Bucket } from '../../support/s3-seat.ts'
import { S3Server } from '../../support/s3-server/index.ts'
import { fair, SimulatedBucket, SimulatedNode } from '../../support/simulated-slots.ts'
import { runSlotLogContract } from './slot-log-contract.ts'

runSlotLogContract('a bucket', async () => {
  const server = await S3Server.open({ buckets: [Bucket] })
  const open = (): BucketSlotLog => {
    const { url, credentials } = server
    return new BucketSlotLog(new S3ObjectStore({ url: `s3://${Bucket}/c`, endpoint: url, credentials }), 'slots/')
  }
  return { logs: [open(), open()], reopens: true, done: (asked) => asked, dispose: () => server.close() }
})

for (const kind of ['slots', 'stream'] as const)
  runSlotLogContract(`a simulated ${kind}`, async () => {
    const bucket = new SimulatedBucket(fair)
    const open = (id: string) => new SimulatedNode(id, bucket)[kind]('0')
    const done = async <Result>(asked: Promise<Result>): Promise<Result> => {
      const told = Promise.allSettled([asked])
      for (let idle = 0; idle < 3; idle++) {
        const [step] = bucket.ready()
        if (step) {
          bucket.happen(step)
          idle = -1
        }
        await immediate()
      }
      await told
      return asked
    }
    return { logs: [open('one'), open('other')], reopens: kind === 'slots', done, dispose: () => Promise.resolve() }
  })

test('the slots of a bucket are listed in the order of their numbers, gaps and all', async () => {
  const bucket = new SimulatedBucket(fair)
  for (const slot of [9, 10, 100, 2, 1])
    bucket.objects.set(`slots/0/${String(slot).padStart(16, '0')}`, new Uint8Array())
  const slots = new SimulatedNode('one', bucket).slots('0').slots(0)
  for (const step of bucket.ready()) bucket.happen(step)
  expect(await slots).toEqual([1, 2, 9, 10, 100])
})
