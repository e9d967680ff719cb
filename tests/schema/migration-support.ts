import { nodeSqliteDriver } from '../../src/drivers/node.ts'
import { sqlJsDriver, type SqliteDriver, type SqliteDriverFactory } from '../../src/drivers/index.ts'
import {
  createDatabase,
  defineSchema,
  openDatabase,
  quoteName,
  SINGLETON_KEY,
  type JsonSchemaObject,
  type RowObject,
  type Schema,
  type SchemaInput,
  type TableInput,
} from '../../src/schema/index.ts'

export const drivers: readonly (readonly [string, SqliteDriverFactory])[] = [
  ['sql.js', sqlJsDriver()],
  ['node:sqlite', nodeSqliteDriver()],
]

/** A schema, not checked by TypeScript. */
export function schemaOf(
  version: number,
  tables: Record<string, TableInput>,
  migrations?: SchemaInput['migrations'],
): Schema {
  return defineSchema<SchemaInput>({ version, tables, ...(migrations ? { migrations } : {}) })
}

/** A table with the text key `id` and these properties. */
export function table(
  properties: Record<string, JsonSchemaObject>,
  more: Partial<TableInput> & { strict?: boolean; required?: string[] } = {},
): TableInput {
  const { strict = false, required = [], ...rest } = more
  return {
    primaryKey: 'id',
    schema: {
      type: 'object',
      required: ['id', ...required],
      properties: { id: { type: 'string' }, ...properties },
      ...(strict ? { additionalProperties: false } : {}),
    },
    ...rest,
  }
}

export type Rows = Readonly<Record<string, readonly RowObject[]>>

export function insertRows(driver: SqliteDriver, schema: Schema, rows: Rows): void {
  driver.exec('BEGIN')
  for (const [name, list] of Object.entries(rows)) {
    const { model, codec } = schema.tables.get(name)!
    const statement = driver.prepare(
      `INSERT INTO ${quoteName(model.base)} (${model.columns.map((column) => quoteName(column.name)).join()}) VALUES (${model.columns.map(() => '?').join()})`,
    )
    for (const row of list) {
      const cells = codec.encode(row)
      if (model.singleton) cells.set(0, SINGLETON_KEY)
      statement.run(codec.spread(cells))
    }
    statement.finalize()
  }
  driver.exec('COMMIT')
}

/** The rows that the schema reads, by table. */
export function readRows(driver: SqliteDriver, schema: Schema): Record<string, RowObject[]> {
  const rows: Record<string, RowObject[]> = {}
  for (const { model, codec } of schema.tables.values()) {
    const statement = driver.prepare(
      `SELECT ${model.columns.map((column) => quoteName(column.name)).join()} FROM ${quoteName(model.base)} ORDER BY ${quoteName(model.key[0]!.name)}`,
    )
    rows[model.name] = statement.all().map((stored) => codec.decode(stored))
    statement.finalize()
  }
  return rows
}

/** A database made with one schema, filled, and opened with another. */
export async function migrated(
  factory: SqliteDriverFactory,
  before: Schema,
  rows: Rows,
  after: Schema,
): Promise<{ driver: SqliteDriver; rows: Record<string, RowObject[]> }> {
  const driver = await filled(factory, before, rows)
  openDatabase(driver, after)
  return { driver, rows: readRows(driver, after) }
}

export async function filled(factory: SqliteDriverFactory, schema: Schema, rows: Rows): Promise<SqliteDriver> {
  const driver = await factory.open()
  createDatabase(driver, schema)
  insertRows(driver, schema, rows)
  return driver
}
