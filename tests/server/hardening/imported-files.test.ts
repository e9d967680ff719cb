import fc from 'fast-check'
import { createStore, defineSchema } from 'rowcast'
import { nodeSqliteDriver } from 'rowcast/node'
import { expect, onTestFinished, test } from 'vitest'
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

const restSchema = defineSchema({
  version: 1,
  tables: {
    card: {
      restricted: ['secret'],
      primaryKey: 'id',
      unique: [['slug']],
      references: { parentId: { table: 'card' } },
      schema: {
        type: 'object',
        required: ['id'],
        properties: {
          id: { type: 'string' },
          title: { type: 'string' },
          secret: { type: 'string' },
          slug: { type: 'string' },
          parentId: { type: ['string', 'null'] },
          n: { type: 'integer', maximum: 9 },
          big: { type: 'integer', format: 'int64' },
          bytes: { type: 'string', contentEncoding: 'base64' },
          list: { type: 'array', items: { type: 'number' } },
          label: { type: 'object', properties: { size: { type: 'number' } } },
          frame: { type: 'object', required: ['width'], properties: { width: { type: 'number' } } },
        },
      },
    },
    settings: { singleton: true, schema: { type: 'object', properties: { size: { type: 'number', default: 1 } } } },
  },
} as const)

/** A good file of one card, its tables without any constraint, then changed by hand. */
async function forgeCards(sql: string): Promise<Uint8Array<ArrayBuffer>> {
  const store = await createStore({ schema: restSchema, driver: nodeSqliteDriver() })
  store.table('card').insert({ id: 'good', title: 'fine', slug: 's' })
  const driver = await nodeSqliteDriver().open(store.export())
  await store.close()
  try {
    driver.exec('PRAGMA legacy_alter_table = ON; PRAGMA foreign_keys = OFF')
    for (const table of ['card', 'settings']) {
      const statement = driver.prepare(
        `SELECT group_concat('"' || name || '"') FROM pragma_table_info('${table}__base')`,
      )
      const columns = String(statement.get()![0])
      statement.finalize()
      driver.exec(
        `CREATE TABLE copy (${columns}); INSERT INTO copy SELECT * FROM ${table}__base;
         DROP TABLE ${table}__base; ALTER TABLE copy RENAME TO ${table}__base`,
      )
    }
    driver.exec(sql)
    return new Uint8Array(driver.serialize())
  } finally {
    driver.close()
  }
}

const cards = (columns: string, ...values: string[]): string =>
  `INSERT INTO card__base (id, ${columns}) VALUES ${values.map((value) => `(${value})`).join(', ')}`

test.each<[string, string, RegExp]>([
  [
    'a rest that names a declared column',
    cards('_rest', `'bad', '{"title":"x"}'`),
    /card "bad".*'title', which is a col/,
  ],
  ['a rest that names the key', cards('_rest', `'bad', '{"id":"other"}'`), /card "bad".*'id', which is a column/],
  ['a rest that names a column in an object', cards('_rest', `'bad', '{"label":{"size":3}}'`), /card "bad".*'label'/],
  ['a rest that has a text for an object', cards('_rest', `'bad', '{"label":"x"}'`), /card "bad".*'label'/],
  ['a rest in an object that is not there', cards('_rest', `'bad', '{"frame":{"x":1}}'`), /card "bad".*'frame'/],
  ['a rest that is no JSON', cards('_rest', `'bad', 'not json'`), /card "bad".*not JSON/],
  ['a rest that is a list', cards('_rest', `'bad', '[1]'`), /card "bad".*an object/],
  ['a rest that is a number', cards('_rest', `'bad', 5`), /card "bad".*no text/],
  ['a rest nested too deeply', cards('_rest', `'bad', '{"x":${'['.repeat(9_000)}${']'.repeat(9_000)}}'`), /deep/],
  ['a number for a text', cards('title', `'bad', 5`), /card "bad".*title.*string/],
  ['bytes for a text', cards('title', `'bad', x'00ff'`), /card "bad".*title.*string/],
  ['a text for a number', cards('n', `'bad', 'x'`), /card "bad".*n.*integer/],
  ['a fraction for an integer', cards('n', `'bad', 1.5`), /card "bad".*n.*integer/],
  ['a number over its maximum', cards('n', `'bad', 10`), /card "bad".*n/],
  ['a text for a 64-bit integer', cards('big', `'bad', 'x'`), /card "bad".*big/],
  ['a text for bytes', cards('bytes', `'bad', 'x'`), /card "bad".*bytes/],
  ['a list that is no JSON', cards('list', `'bad', '[1'`), /card "bad".*list.*JSON/],
  ['a list of texts', cards('list', `'bad', '["x"]'`), /card "bad".*list/],
  ['a NUL in a text', cards('title', `'bad', 'a' || char(0) || 'b'`), /card "bad".*NUL/],
  ['a value in an object that is not there', cards('frame_width', `'bad', 5`), /card "bad".*frame/],
  ['a value marked as withheld', cards('secret', `'bad', x'00'`), /card "bad".*secret.*withheld/],
  ['a null key', cards('title', `NULL, 'x'`), /card.*id.*missing/],
  ['a number for a key', cards('title', `5, 'x'`), /card.*id.*string/],
  ['bytes for a key', cards('title', `x'00', 'x'`), /card.*id.*string/],
  ['a key twice', cards('title', `'bad', 'x'`, `'bad', 'y'`), /card "bad".*twice/],
  ['a reference to nothing', cards('parentId', `'bad', 'gone'`), /card "bad".*gone/],
  ['a unique value twice', cards('slug', `'bad', 's'`), /card "bad".*slug/],
  ['a singleton twice', 'INSERT INTO settings__base SELECT * FROM settings__base', /settings.*twice/],
  ['no singleton', 'DELETE FROM settings__base', /settings.*missing/],
  ['a view for a table', 'ALTER TABLE card__base RENAME TO x; CREATE VIEW card__base AS SELECT * FROM x', /'card'/],
  ['a computed column', 'ALTER TABLE card__base ADD COLUMN z AS (zeroblob(9))', /'card'/],
  ['a column too few', 'ALTER TABLE card__base DROP COLUMN title', /title/],
  ['no table', 'DROP TABLE card__base', /'card' is missing/],
])('a file with %s changes nothing and makes no database: told where and why', async (_what, sql, reason) => {
  const { ask, errors } = startServer({ schema: restSchema })
  const bad = await forgeCards(sql)
  const refused = await ask(`PUT ${b}/import`, bad)
  expect([refused.status, refused.body.error?.reason]).toEqual([422, expect.stringMatching(reason)])
  expect((await ask('GET /v1/databases')).body).toEqual({ databases: [] })
  expect((await ask(`PUT ${b}/import`, await forgeCards(''))).status).toBe(201)
  expect((await ask(`PUT ${b}/import`, bad)).status).toBe(422)
  expect((await ask(`GET ${b}/history`)).body).toMatchObject({ last: 1 })
  expect(errors).toEqual([])
})

test('what a file writes in another way than the store would is taken as the store writes it', async () => {
  const { ask, send } = startServer({ schema: restSchema })
  const rest = `'{"free": {"b": 1,  "b": 2.0}}'`
  const sql = `${cards('_rest, list', `'odd', ${rest}, '[ 1.0 ]'`)}; UPDATE settings__base SET size = 1`
  expect((await ask(`PUT ${b}/import`, await forgeCards(sql))).status).toBe(201)
  const bytes = new Uint8Array(await (await send(`GET ${b}/export`)).arrayBuffer())
  const driver = await nodeSqliteDriver().open(bytes)
  onTestFinished(() => driver.close())
  const statement = driver.prepare("SELECT _rest, list FROM card__base WHERE id = 'odd'")
  expect(statement.all()).toEqual([['{"free":{"b":2}}', '[1]']])
  statement.finalize()
})

test('triggers of a file do not run while it is migrated', async () => {
  const newer = defineSchema({ ...restSchema.definition, version: 2 } as never)
  const { ask, errors } = startServer({ schema: newer })
  const bad = await forgeCards(
    `CREATE TRIGGER spy AFTER INSERT ON rowcast_meta BEGIN SELECT RAISE(ABORT, 'it ran'); END`,
  )
  expect((await ask(`PUT ${b}/import`, bad)).status).toBe(201)
  expect(errors).toEqual([])
})

const seed = Number(process.env['ROWCAST_SEED'] ?? Date.now() % 1e9)

test(`no file is the server's failure, however it is damaged (ROWCAST_SEED=${seed})`, async () => {
  const { ask, errors } = startServer({ schema: restSchema })
  const good = await forgeCards('')
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }),
      fc.option(fc.nat(good.length), { nil: undefined }),
      async (flips, cut) => {
        const bytes = good.slice(0, cut)
        for (const [at, value] of flips) if (at < bytes.length) bytes[at] = value
        const { status } = await ask(`PUT ${b}/import`, bytes)
        expect([200, 201, 400, 422]).toContain(status)
      },
    ),
    { seed, numRuns: 100 },
  )
  expect(errors).toEqual([])
})
