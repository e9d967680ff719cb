import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { filePersistence, PersistenceError, type QuotaEstimate } from '../../src/persist/index.ts'
import { bytes, plain, runPersistenceContract } from './persistence-contract.ts'

const folder = mkdtempSync(join(tmpdir(), 'rowcast-test-'))
const appendForever = fileURLToPath(new URL('append-forever.ts', import.meta.url))

afterAll(() => rmSync(folder, { recursive: true }))

runPersistenceContract('filePersistence', (name) => filePersistence({ directory: join(folder, name) }))

test('a process that is killed in the midst of appends leaves all that it had confirmed, and no lock', async () => {
  const directory = join(folder, 'killed')
  let confirmed = -1
  for (const kills of [40, 250, 77]) {
    const child = spawn(process.execPath, ['--no-warnings', appendForever, directory], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const exited = once(child, 'exit')
    let seen = 0
    for await (const line of createInterface(child.stdout)) {
      confirmed = Number(line)
      seen += 1
      if (seen === 1) {
        await expect(filePersistence({ directory, waitMs: 0 }).open()).rejects.toMatchObject({
          code: 'persistence-in-use',
        })
      }
      if (seen >= kills) child.kill('SIGKILL')
    }
    await exited
    expect(seen).toBeGreaterThanOrEqual(kills)
    const session = await filePersistence({ directory }).open()
    const { records } = plain(await session.load())
    await session.close()
    expect(records.length).toBeGreaterThan(confirmed)
    expect(records.map((record) => Number(record.split(' ')[0]))).toEqual(records.map((_, n) => n))
    expect(records.map((record) => record.split(' ')[1]?.length)).toEqual(records.map((_, n) => n % 500))
  }
})

test('the application hears once that space becomes scarce, when it opens', async () => {
  const heard: QuotaEstimate[] = []
  const directory = join(folder, 'scarce')
  const session = await filePersistence({
    directory,
    warnAt: Number.MIN_VALUE,
    onQuota: (estimate) => heard.push(estimate),
  }).open()
  await session.append([bytes('a')])
  await session.replace(new Uint8Array(2 ** 21))
  await session.close()
  expect(heard).toHaveLength(1)
  expect(heard[0]?.quota).toBeGreaterThan(heard[0]?.usage ?? Number.NaN)
})

test('a store that stays open is told of: that it is in this process or another, and what to do', async () => {
  const directory = join(folder, 'told')
  const session = await filePersistence({ directory }).open()
  const error = await filePersistence({ directory, waitMs: 0 })
    .open()
    .catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({ code: 'persistence-in-use' })
  expect(String(error)).toMatch(/right here: close that one first .*import\.meta\.hot\.data/)
  await session.close()

  const child = spawn(process.execPath, ['--no-warnings', appendForever, directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  await once(child.stdout, 'data')
  await expect(filePersistence({ directory, waitMs: 0 }).open()).rejects.toThrow('in another process')
  // Opened before the other one ends: it waits.
  const waiting = filePersistence({ directory, waitMs: 60_000 }).open()
  child.kill('SIGKILL')
  await exited
  await (await waiting).close()
})

test('a time to wait that is none is refused', () => {
  for (const waitMs of [-1, Number.NaN, Infinity])
    expect(() => filePersistence({ directory: folder, waitMs })).toThrow(PersistenceError)
})

test('a warnAt that is no part of the quota is refused', () => {
  expect(() => filePersistence({ directory: folder, warnAt: 80 })).toThrow(PersistenceError)
})

test('a folder holds one snapshot, its journal and the lock', async () => {
  const directory = join(folder, 'names')
  const session = await filePersistence({ directory }).open()
  await session.replace(bytes('one'))
  await session.replace(bytes('two'))
  await session.close()
  expect(readdirSync(directory).toSorted()).toEqual(['3.db', '3.log', 'lock'])
})
