import { existsSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nodeSqliteDriver } from 'rowcast/node'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { SqlError } from '../../src/errors/index.ts'
import { runDriverContract } from './driver-contract.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'rowcast-test-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('a file is durable and keeps its contents between openings', async () => {
  const factory = nodeSqliteDriver({ file: join(folder, 'kept.db') })
  const first = await factory.open()
  first.exec('CREATE TABLE t (a); INSERT INTO t VALUES (1)')
  expect([
    first.durable,
    first.prepare('PRAGMA journal_mode').get(),
    first.prepare('PRAGMA synchronous').get(),
  ]).toEqual([true, ['wal'], [2]])
  const copy = first.serialize()
  expect([first.openMemory(copy).durable, copy[18]]).toEqual([false, 1])
  first.close()
  const second = await factory.open()
  expect(second.prepare('SELECT a FROM t').all()).toEqual([[1]])
  second.close()
})

test('bytes become the contents of a new file and never replace those of another', async () => {
  const memory = await nodeSqliteDriver().open()
  memory.exec('CREATE TABLE t (a); INSERT INTO t VALUES (1)')
  const bytes = memory.serialize()
  memory.close()
  const file = join(folder, 'imported.db')
  const driver = await nodeSqliteDriver({ file }).open(bytes)
  expect(driver.prepare('SELECT a FROM t').all()).toEqual([[1]])
  driver.close()
  await expect(nodeSqliteDriver({ file }).open(bytes)).rejects.toThrow(/already holds a database/)
  expect(existsSync(`${file}.new`)).toBe(false)
  truncateSync(file, readFileSync(file).length / 2)
  await expect(nodeSqliteDriver({ file }).open()).rejects.toThrow(/truncated/)
  writeFileSync(file, 'a letter')
  await expect(nodeSqliteDriver({ file }).open()).rejects.toThrow(SqlError)
})

test('an integer beyond 2^53 reaches and leaves a function exactly', async () => {
  const driver = await nodeSqliteDriver().open()
  driver.createFunction('next', 1, (value) => (value as bigint) + 1n)
  expect(driver.prepare('SELECT next(9007199254740993)').get()).toEqual([9007199254740994n])
  driver.close()
})

runDriverContract('node:sqlite in memory', nodeSqliteDriver())
