import type { Segments } from '../changes/index.ts'
import { SchemaError } from '../errors/index.ts'
import { facetsAt } from './facets-at.ts'
import { buildTable, baseName } from './model/build-table.ts'
import type { TableModel } from './model/table-model.ts'
import { isSchemaObject } from './model/facets.ts'
import { RowCodec } from './model/row-codec.ts'
import type { CheckSchema, JsonSchemaObject, MigrationContext, SchemaInput } from './types/index.ts'
import { checkRenames } from './migration/check-renames.ts'
import { TableValidator } from './validator.ts'

/** A table with all that is needed to read, write and check its rows. */
export interface TableSchema {
  readonly model: TableModel
  readonly codec: RowCodec
  readonly validator: TableValidator
  /** Every schema object that applies at a property path, and whether the property must be there: for forms. */
  facetsAt(segments: Segments): [facets: readonly JsonSchemaObject[], required: boolean]
}

/** A schema that was checked: what `createStore` takes. Made by `defineSchema`. */
export interface Schema<S extends SchemaInput = SchemaInput> {
  readonly version: number
  /** The document as it was given. */
  readonly definition: S
  /** By name, in the order of the document. */
  readonly tables: ReadonlyMap<string, TableSchema>
  readonly migrations: { readonly [version: number]: (db: MigrationContext) => void }
}

const RESERVED = /^(rowcast_|sqlite_)/i
const TABLE_KEYS = ['primaryKey', 'indexes', 'unique', 'references', 'singleton', 'schema', 'renames', 'renamedFrom']
const SCHEMA_KEYS = ['version', 'tables', 'migrations', '$schema', '$id', 'title', 'description', '$comment']

/**
 * Checks a schema document and maps its tables to SQLite: nested objects to columns, arrays and free-form objects to
 * JSON columns (docs: README, "Schema"). Everything is inferred from it: rows, keys, paths and values.
 *
 * Throws SchemaError, with the path in the document, for whatever has no mapping and whatever ajv can't compile.
 */
export function defineSchema<const S extends SchemaInput>(schema: S & CheckSchema<S>): Schema<S> {
  const input: SchemaInput = schema
  if (!isSchemaObject(input)) throw new SchemaError('schema', 'expected an object with version and tables')
  for (const key of Object.keys(input))
    if (!SCHEMA_KEYS.includes(key))
      throw new SchemaError(key, `is not part of a schema: expected version, tables, migrations`)
  if (!Number.isSafeInteger(input.version) || input.version < 1)
    throw new SchemaError('version', 'expected a whole number from 1')
  if (!isSchemaObject(input.tables) || Object.keys(input.tables).length === 0)
    throw new SchemaError('tables', 'expected an object with at least one table')
  const names = new Map<string, string>()
  for (const [name, table] of Object.entries(input.tables)) {
    const place = `tables.${name}`
    if (name === '' || name.includes('\0') || RESERVED.test(name))
      throw new SchemaError(place, 'a table needs a name, and rowcast_ and sqlite_ are reserved')
    if (!isSchemaObject(table)) throw new SchemaError(place, 'expected an object with primaryKey and schema')
    for (const key of Object.keys(table))
      if (!TABLE_KEYS.includes(key))
        throw new SchemaError(`${place}.${key}`, `is not part of a table: expected ${TABLE_KEYS.join(', ')}`)
    for (const sqlName of [name, baseName(name)]) {
      const holder = names.get(sqlName.toLowerCase())
      if (holder !== undefined)
        throw new SchemaError(place, `would share a name in SQLite with table '${holder}': rename one of them`)
      names.set(sqlName.toLowerCase(), name)
    }
  }
  const tables = new Map<string, TableSchema>()
  for (const [index, [name, table]] of Object.entries(input.tables).entries()) {
    const model = buildTable(name, index, table)
    const codec = new RowCodec(model)
    tables.set(name, {
      model,
      codec,
      validator: new TableValidator(model, codec),
      facetsAt: (segments) => facetsAt(table.schema, segments),
    })
  }
  for (const table of tables.values()) {
    checkReferences(table.model, tables)
    checkRenames(table.model, input.tables[table.model.name]!, tables)
    checkDefaults(table)
  }
  const migrations = input.migrations ?? {}
  for (const [version, migrate] of Object.entries(migrations)) {
    if (!/^\d+$/.test(version) || Number(version) < 2 || Number(version) > input.version)
      throw new SchemaError(
        `migrations.${version}`,
        `expected a version from 2 to ${input.version}: the one that the step leads to`,
      )
    if (typeof migrate !== 'function') throw new SchemaError(`migrations.${version}`, 'expected a function')
  }
  return Object.freeze({ version: input.version, definition: schema, tables, migrations })
}

/** Whether a value came from `defineSchema`. */
export function isSchema(value: unknown): value is Schema {
  return isSchemaObject(value) && value['tables'] instanceof Map && typeof value['version'] === 'number'
}

function checkReferences(model: TableModel, tables: ReadonlyMap<string, TableSchema>): void {
  for (const reference of model.references) {
    const place = `tables.${model.name}.references.${reference.name}`
    const parent = tables.get(reference.table)?.model
    if (!parent) throw new SchemaError(`${place}.table`, `there is no table '${reference.table}'`)
    if (parent.singleton)
      throw new SchemaError(`${place}.table`, `'${reference.table}' is a singleton and has no key to refer to`)
    if (parent.key.length !== reference.columns.length)
      throw new SchemaError(
        place,
        `the key of '${reference.table}' has ${parent.key.length} parts: name as many properties ("properties": […])`,
      )
    for (const [n, column] of reference.columns.entries())
      if (parent.key[n]!.kind !== column.kind)
        throw new SchemaError(
          place,
          `'${column.path}' is ${column.kind}, the key of '${reference.table}' is ${parent.key[n]!.kind}`,
        )
  }
}

/** A default that the schema itself refuses would make every row invalid. */
function checkDefaults({ model, codec, validator }: TableSchema): void {
  const defaults = codec.decode(codec.spread(new Map()))
  const defaulted = model.columns.filter((column) => column.defaultValue !== undefined)
  for (const issue of validator.row(defaults, undefined)) {
    const column = defaulted.find((one) => issue.path === one.path || issue.path.startsWith(`${one.path}.`))
    if (column && issue.keyword !== 'required')
      throw new SchemaError(
        `tables.${model.name}.schema${column.segments.map((segment) => `.properties.${segment}`).join('')}.default`,
        issue.message,
      )
  }
  for (const column of defaulted) {
    if (!column.guard) continue
    const issue = validator.leaf(column, column.defaultValue, undefined)?.[0]
    if (issue)
      throw new SchemaError(
        `tables.${model.name}.schema${column.segments.map((segment) => `.properties.${segment}`).join('')}.default`,
        issue.message,
      )
  }
}
