import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import initSqlJs from 'sql.js'
import { expect, test } from 'vitest'
import { sqlJsDriver } from '../../src/drivers/index.ts'
import { SqlError } from '../../src/errors/index.ts'
import { runDriverContract } from './driver-contract.ts'

const wasm = createRequire(import.meta.url).resolve('sql.js/dist/sql-wasm.wasm')

test('a load that fails says what to pass, and the same one may succeed later', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'rowcast-test-'))
  const file = join(folder, 'late.wasm')
  const factory = sqlJsDriver({ locateFile: () => file })
  const failed = factory.open()
  await expect(failed).rejects.toThrow(SqlError)
  await expect(failed).rejects.toThrow(/locateFile/)
  await copyFile(wasm, file)
  const driver = await factory.open()
  expect(driver.prepare('SELECT 1').get()).toEqual([1])
  driver.close()
  await rm(folder, { recursive: true })
})

test('bytes that are no WebAssembly are refused', async () => {
  await expect(sqlJsDriver({ wasmBinary: new Uint8Array([1, 2, 3]) }).open()).rejects.toThrow(SqlError)
})

test("another version's WebAssembly is refused before sql.js can fail at it, and the right one opens afterwards", async () => {
  // A module without anything in it stands for it: sql.js would call what is not there.
  const other = new Uint8Array([0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00])
  const { version } = JSON.parse(await readFile(join(dirname(wasm), '../package.json'), 'utf8')) as { version: string }
  await expect(sqlJsDriver({ wasmBinary: other }).open()).rejects.toThrow(
    `it is not the WebAssembly of sql.js ${version}, which rowcast uses): pass 'locateFile' with the address of 'rowcast/sql-wasm.wasm'`,
  )
  const driver = await sqlJsDriver({ wasmBinary: await readFile(wasm) }).open()
  expect(driver.prepare('SELECT 1').get()).toEqual([1])
  driver.close()
})

test('sql.js opens from the bytes of its WebAssembly or from an initialised module', async () => {
  for (const options of [{ wasmBinary: await readFile(wasm) }, { module: await initSqlJs() }]) {
    const driver = await sqlJsDriver(options).open()
    expect([driver.name, driver.durable, driver.prepare('PRAGMA journal_mode').get()]).toEqual([
      'sql.js',
      false,
      ['memory'],
    ])
    driver.close()
  }
})

test('a function that returns an integer beyond 2^53 fails instead of returning NULL', async () => {
  const driver = await sqlJsDriver().open()
  driver.createFunction('big', 0, () => 2n ** 60n)
  expect(() => driver.prepare('SELECT big()').get()).toThrow(/return it as text/)
  driver.close()
})

test('a query whose plan would depend on a bound value is put in words whose plan does not', async () => {
  const module = await initSqlJs()
  const prepared: string[] = []
  const Database = class extends module.Database {
    override prepare(sql: string): ReturnType<InstanceType<typeof module.Database>['prepare']> {
      prepared.push(sql)
      return super.prepare(sql)
    }
  }
  const driver = await sqlJsDriver({ module: { Database } as never }).open()
  driver.exec(
    "CREATE TABLE t (k TEXT PRIMARY KEY, n INTEGER) STRICT; INSERT INTO t VALUES ('a', 1), ('b', 2), ('?', 3)",
  )
  const run = (sql: string, ...parameters: (string | number)[]): unknown[] => {
    prepared.length = 0
    const statement = driver.prepare(sql)
    expect(statement.text).toBe(sql)
    const rows = statement.all(parameters)
    statement.finalize()
    return [rows, prepared.at(-1)]
  }
  expect(run('SELECT x.n, y.n FROM t x JOIN t y ON y.n = x.n + 1 WHERE x.k = ?', 'a')).toEqual([
    [[1, 2]],
    'SELECT x.n, y.n FROM t x JOIN t y ON y.n = x.n + 1 WHERE x.k = (select ?)',
  ])
  expect(run('SELECT n FROM t WHERE n >= ?2 ORDER BY k LIMIT ?1 OFFSET ?1', 1, 1)).toEqual([
    [[1]],
    'SELECT n FROM t WHERE n >= (select ?2) ORDER BY k LIMIT (select ?1) OFFSET (select ?1)',
  ])
  // Texts, names and comments are left alone, and the value of a GLOB is what lets it use an index.
  const quoted = `SELECT n AS "a?" FROM t WHERE k = '?' /* ? */ AND k GLOB ?`
  expect(run(quoted, '*')).toEqual([[[3]], quoted])
  const inBrackets = 'SELECT n FROM t WHERE k GLOB ( (?) )'
  expect(run(inBrackets, '[?]')).toEqual([[[3]], inBrackets])
  // A column keeps its name, also one that its expression gives it.
  expect(driver.prepare('SELECT n + ? FROM t').columns).toEqual(['n + ?'])
  driver.close()
})

runDriverContract('sql.js', sqlJsDriver())
