import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, readFile, rm, truncate, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { fileSnapshotStorage } from '../../../src/server/storage/index.ts'
import { findSnapshot } from '../../../src/server/storage/snapshot-manifest.ts'
import { runSnapshotStorageContract } from './snapshot-storage-contract.ts'

runSnapshotStorageContract('files', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'rowcast-snapshots-'))
  return {
    storage: () => fileSnapshotStorage({ directory }),
    tear: async (database, sequence) => {
      const folder = join(directory, database, 'snapshots')
      await mkdir(folder, { recursive: true })
      await writeFile(join(folder, `${sequence}.0000.db`), 'half')
      await writeFile(join(folder, `${sequence}.0000.new`), '{"seq')
    },
    dispose: () => rm(directory, { recursive: true, force: true }),
  }
})

let directory: string
let folder: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'rowcast-snapshots-'))
  folder = join(directory, 'plan', 'snapshots')
})
afterEach(() => rm(directory, { recursive: true, force: true }))

test('what a killed process had put is there, whole, and what it was putting is as before', async () => {
  const script = fileURLToPath(new URL('put-snapshots.ts', import.meta.url))
  const storage = fileSnapshotStorage({ directory })
  for (const killAfter of [5, 6, 7]) {
    const child = spawn(process.execPath, [script, directory], { stdio: ['ignore', 'pipe', 'ignore'] })
    const ended = once(child, 'close')
    let reported = 0
    for await (const line of createInterface({ input: child.stdout })) {
      reported = Number(line)
      if (reported >= killAfter) child.kill('SIGKILL')
    }
    await ended
    const infos = await storage.list('plan')
    expect(infos.map(({ sequence }) => sequence)).toEqual([0, 1, 2, 3])
    for (const { sequence, label, at, size } of infos) {
      expect(at).toBeGreaterThan(reported - 4)
      expect({ label, sequence, size }).toEqual({ label: `${at}`, sequence: at % 4, size: 500_000 + at })
      expect(await storage.get('plan', sequence)).toEqual(new Uint8Array(size).fill(at))
    }
    await storage.delete('plan')
    expect(await readdir(directory)).toEqual([])
  }
})

test('a snapshot that lost its end, its bytes or its manifest is not there', async () => {
  const storage = fileSnapshotStorage({ directory })
  for (const sequence of [1, 2, 3, 4]) await storage.put('plan', { sequence, at: 1 }, new Uint8Array(100))
  const names = await readdir(folder)
  await truncate(
    join(
      folder,
      names.find((name) => /^1\..*db$/.test(name))!,
    ),
    50,
  )
  await rm(
    join(
      folder,
      names.find((name) => /^2\..*db$/.test(name))!,
    ),
  )
  await truncate(join(folder, '3.json'), 10)
  expect((await storage.list('plan')).map(({ sequence }) => sequence)).toEqual([4])
  for (const sequence of [1, 2, 3]) expect(await storage.get('plan', sequence)).toBeUndefined()
})

test('who looks for the file that a replaced manifest names is led to the new one', async () => {
  const storage = fileSnapshotStorage({ directory })
  await storage.put('plan', { sequence: 1, at: 1 }, new Uint8Array(10))
  let asked = 0
  const snapshot = await findSnapshot(folder, 1, async (path) => {
    asked += 1
    if (asked === 1) await storage.put('plan', { sequence: 1, at: 2 }, new Uint8Array(20))
    return readFile(path)
  })
  expect(asked).toBe(2)
  expect(snapshot?.manifest.at).toBe(2)
  expect(snapshot?.found.length).toBe(20)
})

test('nothing is left of a snapshot that was replaced', async () => {
  const storage = fileSnapshotStorage({ directory })
  for (const at of [1, 2, 3]) await storage.put('plan', { sequence: 12, at }, new Uint8Array(at))
  expect((await readdir(folder)).toSorted()).toEqual([expect.stringMatching(/^12\..+\.db$/), '12.json'])
})

test('what a crash left an hour ago goes with the next snapshot, what may still be in the making stays', async () => {
  const storage = fileSnapshotStorage({ directory })
  await storage.put('plan', { sequence: 1, at: 1 }, new Uint8Array(1))
  const hourAgo = Date.now() / 1000 - 3_700
  for (const name of ['5.old.db', '5.old.new', '6.young.db']) await writeFile(join(folder, name), 'half')
  for (const name of await readdir(folder)) {
    if (!name.includes('young')) await utimes(join(folder, name), hourAgo, hourAgo)
  }
  await storage.put('plan', { sequence: 2, at: 2 }, new Uint8Array(1))
  const names = await readdir(folder)
  expect(names.filter((name) => /^[56]\./.test(name))).toEqual(['6.young.db'])
  expect(await storage.list('plan')).toHaveLength(2)
})
