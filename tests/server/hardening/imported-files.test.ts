import { nodeSqliteDriver } from 'rowcast/node'
import { expect, test } from 'vitest'
import { startServer } from '../http/support.ts'
import { forgeFile, outcomeOf, putItem, treeSchema } from './support.ts'

const b = '/v1/databases/b'
const trigger = `CREATE TRIGGER spy AFTER INSERT ON item__base BEGIN UPDATE item__base SET level = 99 WHERE id = new.id; END;
CREATE VIEW peek AS SELECT * FROM item; CREATE TABLE extra(x);`

test('a database made of a file has its rows, and none of what else is in it', async () => {
  const { ask, send, errors } = startServer({ schema: treeSchema })
  expect((await ask(`PUT ${b}/import`, await forgeFile(trigger))).status).toBe(201)
  expect((await ask(`POST ${b}/transactions`, { changes: [putItem('new', { level: 1 })] })).status).toBe(200)
  const driver = await nodeSqliteDriver().open(new Uint8Array(await (await send(`GET ${b}/export`)).arrayBuffer()))
  const query = (sql: string): unknown[] => {
    const statement = driver.prepare(sql)
    const rows = statement.all().flat()
    statement.finalize()
    return rows
  }
  expect(query("SELECT name FROM sqlite_schema WHERE name IN ('spy', 'peek', 'extra')")).toEqual([])
  expect(query('SELECT id, level FROM item ORDER BY id')).toEqual(['i', null, 'new', 1])
  driver.close()
  expect(errors).toEqual([])
})

test.each([
  ['a value that the schema refuses', 'UPDATE item SET level = -1', 'validation'],
  ['JSON of another type', `UPDATE item SET tree = '{"a":1}'`, 'validation'],
  ['a reference to a row that is not there', "UPDATE item SET groupId = 'gone'", 'constraint'],
])('a file with %s makes no database', async (_what, sql, code) => {
  const { ask, errors } = startServer({ schema: treeSchema })
  expect(outcomeOf(await ask(`PUT ${b}/import`, await forgeFile(sql)))).toEqual([422, code])
  expect((await ask('GET /v1/databases')).body).toEqual({ databases: [] })
  expect((await ask(`PUT ${b}/import`, await forgeFile(''))).status).toBe(201)
  expect(errors).toEqual([])
})
