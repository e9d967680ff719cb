import { expect, test } from 'vitest'
import { bucketSnapshotStorage, S3ObjectStore } from '../../../src/server/bucket/index.ts'
import { Bucket } from '../../support/s3-seat.ts'
import { S3Server } from '../../support/s3-server/index.ts'
import { runSnapshotStorageContract } from '../storage/snapshot-storage-contract.ts'

function storeOn(server: S3Server): S3ObjectStore {
  return new S3ObjectStore({ url: `s3://${Bucket}/here`, endpoint: server.url, credentials: server.credentials })
}

runSnapshotStorageContract('a bucket', async () => {
  const server = await S3Server.open({ buckets: [Bucket] })
  return {
    storage: () => bucketSnapshotStorage(storeOn(server)),
    tear: async (database, sequence) => {
      const id = String(sequence).padStart(16, '0')
      await storeOn(server).put(`databases/${database}/snapshots/${id}.torn.db`, new Uint8Array(10))
    },
    dispose: () => server.close(),
  }
})

test('a snapshot of which a byte has changed in the bucket is told to be damaged', async () => {
  const server = await S3Server.open({ buckets: [Bucket] })
  const store = storeOn(server)
  const storage = bucketSnapshotStorage(store)
  await storage.put('plan', { sequence: 7, at: 1 }, new Uint8Array(100))
  for await (const { key } of store.list('databases/')) if (key.endsWith('.db')) server.flip(Bucket, `here/${key}`, 50)
  await expect(storage.get('plan', 7)).rejects.toMatchObject({
    code: 'snapshot-damaged',
    message: expect.stringMatching(/snapshot 7 of 'plan'.*s3:\/\/tests\/here\/databases\/plan\//) as string,
  })
  expect(await storage.list('plan')).toEqual([{ sequence: 7, at: 1, size: 100 }])
  for await (const { key } of store.list('databases/')) if (key.endsWith('.json')) server.flip(Bucket, `here/${key}`, 0)
  await expect(storage.get('plan', 7)).rejects.toMatchObject({ code: 'snapshot-damaged' })
  await expect(storage.list('plan')).rejects.toThrow(/7\.json\): restore that object, or delete it/)
  await server.close()
})
