import { randomUUID } from 'node:crypto'
import { BucketError } from './bucket-error.ts'
import type { ObjectOptions, ObjectStore } from './object-store.ts'

/**
 * Sees that a bucket does what a log on it rests on: of two who make one object the second is refused, what was written is
 * read and listed at once. Throws BucketError where it does not, or can't be reached.
 */
export async function probeBucket(store: ObjectStore, options: ObjectOptions = {}): Promise<void> {
  const key = `probes/${randomUUID()}`
  const [first, second] = [randomUUID(), randomUUID()].map((text) => new TextEncoder().encode(text)) as [
    Uint8Array<ArrayBuffer>,
    Uint8Array<ArrayBuffer>,
  ]
  // Whoever makes an object waits for as long as it takes; who reads tells that the bucket can't be reached.
  await store.get(key, options)
  const isMade = await store.create(key, first, options)
  try {
    const isMadeAgain = await store.create(key, second, options)
    if (!isMade || isMadeAgain)
      throw unfit(store, 'it lets an object be made where there is one (it does not heed If-None-Match)')
    const read = await store.get(key, options)
    if (read === undefined || Buffer.compare(read, first) !== 0)
      throw unfit(store, 'it does not give back what was just written')
    const listed: string[] = []
    for await (const { key: name } of store.list(key, options)) listed.push(name)
    if (listed.length !== 1 || listed[0] !== key) throw unfit(store, 'it does not list what was just written')
  } finally {
    await store.delete([key], options)
  }
}

function unfit(store: ObjectStore, why: string): BucketError {
  return new BucketError(
    `${store.address} can't hold a log: ${why}. Take a store with conditional writes (Amazon S3, Cloudflare R2, Ceph, MinIO of 2025), or keep the log elsewhere and only snapshots there`,
  )
}
