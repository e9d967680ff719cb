import type { SqliteDriver, SqlValue } from '../../src/drivers/index.ts'

/** All that a database holds, of main and temp: its schema and every row of every table, to be compared. */
export function dumpDatabase(driver: SqliteDriver): readonly (readonly SqlValue[])[] {
  const all = (sql: string): SqlValue[][] => {
    const statement = driver.prepare(sql)
    try {
      return statement.all()
    } finally {
      statement.finalize()
    }
  }
  const objects = ['sqlite_schema', 'sqlite_temp_schema'].flatMap((schema) =>
    all(`SELECT type, name, tbl_name, sql FROM ${schema} ORDER BY type, name`),
  )
  const tables = objects.filter(([type]) => type === 'table').map(([, name]) => String(name))
  return [
    ...objects,
    ...tables.flatMap((name) =>
      all(`SELECT * FROM "${name.replaceAll('"', '""')}" ORDER BY rowid`).map((row) => [name, ...row]),
    ),
    ...all('PRAGMA foreign_keys'),
  ]
}
