import initSqlJs from 'sql.js'
import wasm from 'sql.js/dist/sql-wasm.wasm?url'
import { expect, test } from 'vitest'

test('sql.js, its WebAssembly found by URL, answers a query in the browser', async () => {
  const sqlJs = await initSqlJs({ locateFile: () => wasm })
  const database = new sqlJs.Database()
  try {
    database.run("create table city (name text) strict; insert into city values ('Oslo')")
    expect(database.exec('select name from city')).toEqual([{ columns: ['name'], values: [['Oslo']] }])
  } finally {
    database.close()
  }
})
