import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { SqlError } from 'rowcast'
import { fileLogStorage } from '../../../src/server/storage/index.ts'
import { runLogContract } from './log-contract.ts'

runLogContract('a file', async () => {
  const place = await mkdtemp(join(tmpdir(), 'rowcast-log-'))
  const directory = join(place, 'made', 'when needed')
  return {
    storage: () => fileLogStorage({ directory }),
    appender: { script: new URL('append-to-file-log.ts', import.meta.url), args: [directory] },
    dispose: () => rm(place, { recursive: true, force: true }),
  }
})

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'rowcast-log-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

test('a log lies in the directory of its database, and nothing of it is left when it is deleted', async () => {
  const storage = fileLogStorage({ directory })
  const log = await storage.open('plan', { create: true })
  await log.append(['a'], 0)
  await log.close()
  expect(await readdir(directory, { recursive: true })).toEqual(['plan', join('plan', 'log.db')])
  await storage.delete('plan')
  expect(await readdir(directory)).toEqual([])
})

test('a log is deleted without what lies beside it', async () => {
  const storage = fileLogStorage({ directory })
  await (await storage.open('plan', { create: true })).close()
  await mkdir(join(directory, 'plan', 'snapshots'))
  await storage.delete('plan')
  expect(await storage.list()).toEqual([])
  expect(await readdir(join(directory, 'plan'))).toEqual(['snapshots'])
})

test('what a crash left of a log in the making is no log, and goes when the log is deleted', async () => {
  const storage = fileLogStorage({ directory })
  await mkdir(join(directory, 'plan'))
  await writeFile(join(directory, 'plan', 'log.db.1234.new'), 'half')
  expect(await storage.list()).toEqual([])
  await storage.delete('plan')
  expect(await readdir(directory)).toEqual([])
})

test('a file that is no log is refused, and can be deleted', async () => {
  const storage = fileLogStorage({ directory })
  for (const contents of ['no database, but long enough to be looked at'.repeat(100), '']) {
    await mkdir(join(directory, 'plan'))
    await writeFile(join(directory, 'plan', 'log.db'), contents)
    await expect(storage.open('plan')).rejects.toBeInstanceOf(SqlError)
    await storage.delete('plan')
    expect(await readdir(directory)).toEqual([])
  }
})

test.skipIf(process.platform === 'win32')(
  'where the disk takes no more, an append is undone or uncertain, and reading tells which',
  async () => {
    const script = fileURLToPath(new URL('append-without-space.ts', import.meta.url))
    // 2,048 blocks of 512 bytes a file.
    const child = spawn('sh', ['-c', 'ulimit -f 2048; exec "$@"', 'sh', process.execPath, script, directory])
    const [output, complaint] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
    expect(complaint.replaceAll(/.*Warning.*\n/g, '')).toBe('')
    expect(JSON.parse(output)).toEqual({
      inCommit: 'log-uncertain',
      isSettled: true,
      afterCommit: { first: 1, last: 2 },
      beforeCommit: 'sql',
      afterAll: { first: 1, last: 3 },
    })
    const log = await fileLogStorage({ directory }).open('full')
    const payloads: string[] = []
    for await (const { payload } of log.read(1)) payloads.push(payload)
    expect(payloads).toEqual(['a', 'b', 'c'])
    await log.close()
  },
)
