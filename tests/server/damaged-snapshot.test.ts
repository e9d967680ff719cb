import { memoryStorage, s3SnapshotStorage, ServerCore, type Storage } from 'rowcast/server'
import { expect, test } from 'vitest'
import { Bucket, prepareS3 } from '../support/s3-seat.ts'
import { sceneSchema } from '../support/sync-world.ts'
import { put, RawClient } from './session/raw-client.ts'

const seat = prepareS3()

/** Logs in memory, and snapshots in a bucket. */
function open(): Storage {
  const { url: endpoint, credentials } = seat.server
  return { logs: memoryStorage().logs, snapshots: s3SnapshotStorage({ url: `s3://${Bucket}`, endpoint, credentials }) }
}

/** Serves databases, and tells what was reported. */
async function serve(storage: Storage, work: (core: ServerCore) => Promise<unknown>): Promise<readonly string[]> {
  const reported: string[] = []
  const onError = (error: unknown): void => void reported.push(String(error))
  const core = new ServerCore({ schema: sceneSchema, storage, secret: 'test', onError })
  try {
    await work(core)
  } finally {
    await core.close()
  }
  return reported
}

/** Writes three rows, each of which a snapshot follows. */
async function write(core: ServerCore): Promise<void> {
  await core.databases.create('scene')
  const client = await RawClient.enter(core)
  const { database, release } = await core.databases.use('scene')
  for (const n of [1, 2, 3]) {
    await client.commit([put(n)])
    await database.snapshot(`after ${n}`)
  }
  release()
  client.leave()
}

async function rowsAndSnapshots(core: ServerCore): Promise<readonly [number, readonly (string | undefined)[]]> {
  const { database, release } = await core.databases.use('scene')
  const tables = Object.keys(sceneSchema.definition.tables)
  const counts = tables.map((table) => database.store.table(table as never).count())
  const labels = (await database.snapshots()).map(({ label }) => label)
  release()
  return [counts.reduce((sum, count) => sum + count, 0), labels]
}

/** Changes a byte in each of the newest files of the bucket. */
async function damage(count: number): Promise<void> {
  const { keys } = await seat.list()
  const files = keys.flatMap((key) => (key?.endsWith('.db') ? [key] : [])).toSorted()
  expect(files.length).toBeGreaterThanOrEqual(count)
  for (const key of files.slice(-count)) seat.server.flip(Bucket, key, 1_000)
}

test.each([1, 2])(
  'where the newest %i snapshots are damaged, the one before and the log lead to the same',
  async (count) => {
    const storage = open()
    expect(await serve(storage, write)).toEqual([])
    await damage(count)
    const reported = await serve(storage, async (core) => {
      const [rows, labels] = await rowsAndSnapshots(core)
      expect(rows).toBe(3)
      expect(labels).toEqual([undefined, 'after 1', 'after 2', 'after 3'].slice(0, 4 - count))
    })
    expect(reported).toHaveLength(count)
    expect(reported[0]).toMatch(/snapshot \d+ of 'scene' is not as it was written/)
  },
)

test('where all of them are damaged it says which, and what to do, and can be opened once that is done', async () => {
  const storage = open()
  await serve(storage, write)
  await damage(4)
  await serve(storage, async (core) => {
    await expect(core.databases.use('scene')).rejects.toMatchObject({
      code: 'snapshot-damaged',
      message: expect.stringMatching(/restore that object, or delete it/) as string,
    })
  })
  // The byte is as it was again.
  await damage(4)
  expect(await serve(storage, async (core) => expect((await rowsAndSnapshots(core))[0]).toBe(3))).toEqual([])
})
