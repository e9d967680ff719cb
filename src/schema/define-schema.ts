import type { Segments } from '../changes/index.ts'
import { SchemaError } from '../errors/index.ts'
import { facetsAt } from './facets-at.ts'
import { buildTable, baseName } from './model/build-table.ts'
import type { TableModel } from './model/table-model.ts'
import { isSchemaObject } from './model/facets.ts'
import { RowCodec } from './model/row-codec.ts'
import { StoredCells } from './model/stored-cells.ts'
import type {
  CheckSchema,
  JsonSchemaObject,
  KnownSchema,
  MigrationContext,
  SchemaInput,
  WideSchemaInput,
} from './types/index.ts'
import { checkKeywords } from './check-keywords.ts'
import { checkTable } from './check-table.ts'
import { copyDocument } from './copy-document.ts'
import { checkRenames } from './migration/check-renames.ts'
import type { PatternEngine } from './pattern-engine.ts'
import { placeOf } from './place.ts'
import { TableValidator } from './validator.ts'

/** A table with all that is needed to read, write and check its rows. */
export interface TableSchema {
  readonly model: TableModel
  readonly codec: RowCodec
  readonly validator: TableValidator
  /**
   * Every schema object that applies at a property path, and whether the property must be there: for forms. Throws
   * NotFoundError for a path that the table can't have.
   */
  facetsAt(segments: Segments): [facets: readonly JsonSchemaObject[], required: boolean]
}

/** A schema that was checked: what `createStore` takes. Made by `defineSchema`. */
export interface Schema<S extends SchemaInput = SchemaInput> {
  readonly version: number
  /** The document as it was given: a frozen copy. */
  readonly definition: S
  /** By name, in the order of the document. */
  readonly tables: ReadonlyMap<string, TableSchema>
  readonly migrations: { readonly [version: number]: (db: MigrationContext) => void }
}

export interface DefineSchemaOptions {
  /**
   * What matches `pattern`, `patternProperties` and `propertyNames`: JavaScript's RegExp if not given, which some patterns
   * keep busy for years. `linearPatterns` of `rowcast/server` takes time proportional to the text, and refuses what it can't.
   */
  readonly patterns?: PatternEngine | undefined
}

// Of these two also the bare name: what stores a table's rows is called after it, `sqlite__base`.
const RESERVED = /^(rowcast|sqlite)(_|$)/i
const SCHEMA_KEYS = ['version', 'tables', 'migrations', '$schema', '$id', 'title', 'description', '$comment']

/**
 * Checks a schema document and maps its tables to SQLite: nested objects to columns, arrays and free-form objects to
 * JSON columns (docs: README, "Schema"). Everything is inferred from it: rows, keys, paths and values. A document that
 * is imported from a `.json` file has no literal types to infer from: rows are records then, names and paths texts.
 *
 * The document is copied: what becomes of it afterwards does not change the schema. Throws SchemaError, with the path in
 * the document, for what is no such document, for whatever has no mapping, for whatever ajv can't compile, and for a
 * pattern that the engine of the options can't make.
 */
export function defineSchema<const S extends SchemaInput | WideSchemaInput>(
  schema: S & CheckSchema<S>,
  { patterns }: DefineSchemaOptions = {},
): Schema<KnownSchema<S>> {
  const given: unknown = schema
  if (!isSchemaObject(given)) throw new SchemaError('schema', 'expected an object with version and tables')
  const { migrations: steps, ...rest } = given
  const document = checkDocument(copyDocument(rest), patterns)
  const migrations = checkMigrations(steps, document.version)
  const tables = new Map<string, TableSchema>()
  for (const [index, [name, table]] of Object.entries(document.tables).entries()) {
    const model = buildTable(name, index, table)
    const codec = new RowCodec(model)
    tables.set(name, {
      model,
      codec,
      validator: new TableValidator(model, codec, patterns),
      facetsAt: (segments) => facetsAt(table.schema, placeOf(model, segments).segments),
    })
  }
  for (const table of tables.values()) {
    checkReferences(table.model, tables)
    checkRenames(table.model, document.tables[table.model.name]!, tables)
    checkDefaults(table)
  }
  checkNames(tables)
  const definition: SchemaInput = Object.freeze(steps === undefined ? document : { ...document, migrations })
  return Object.freeze({ version: document.version, definition: definition as KnownSchema<S>, tables, migrations })
}

/** The same schema, its patterns matched by an engine. Throws SchemaError, with the path of a pattern that it can't make. */
export function withPatterns(schema: Schema, patterns: PatternEngine): Schema {
  for (const [name, table] of Object.entries(schema.definition.tables))
    checkKeywords(table.schema, `tables.${name}.schema`, patterns)
  const tables = new Map<string, TableSchema>()
  for (const [name, table] of schema.tables)
    tables.set(name, { ...table, validator: new TableValidator(table.model, table.codec, patterns) })
  return Object.freeze({ ...schema, tables })
}

/** Whether a value came from `defineSchema`. */
export function isSchema(value: unknown): value is Schema {
  return (
    isSchemaObject(value) &&
    typeof value['version'] === 'number' &&
    isSchemaObject(value['definition']) &&
    isSchemaObject(value['migrations']) &&
    value['tables'] instanceof Map &&
    // No instanceof: an application may hold two copies of this module.
    [...value['tables'].values()].every(
      (table: unknown) => isSchemaObject(table) && isSchemaObject(table['model']) && isSchemaObject(table['validator']),
    )
  )
}

function checkDocument(document: unknown, patterns: PatternEngine | undefined): SchemaInput {
  if (!isSchemaObject(document)) throw new SchemaError('schema', 'expected an object with version and tables')
  for (const key of Object.keys(document))
    if (!SCHEMA_KEYS.includes(key))
      throw new SchemaError(key, `is not part of a schema: expected version, tables, migrations`)
  const { version, tables } = document
  if (!Number.isSafeInteger(version) || (version as number) < 1)
    throw new SchemaError('version', `expected a whole number from 1, not ${JSON.stringify(version)}`)
  if (!isSchemaObject(tables) || Object.keys(tables).length === 0)
    throw new SchemaError('tables', 'expected an object with at least one table')
  for (const [name, table] of Object.entries(tables)) {
    const place = `tables.${name}`
    if (name === '' || name.includes('\0')) throw new SchemaError(place, 'a table needs a name, without NUL in it')
    if (RESERVED.test(name) || name === '__proto__')
      throw new SchemaError(
        place,
        'the name is reserved, as are all that begin with rowcast_ and sqlite_: choose another',
      )
    checkTable(table, place, patterns)
  }
  return document as object as SchemaInput
}

function checkMigrations(steps: unknown, last: number): Schema['migrations'] {
  if (steps === undefined) return Object.freeze({})
  if (!isSchemaObject(steps)) throw new SchemaError('migrations', 'expected an object of functions by version')
  for (const [version, migrate] of Object.entries(steps)) {
    if (!/^[1-9]\d*$/.test(version) || Number(version) < 2 || Number(version) > last)
      throw new SchemaError(
        `migrations.${version}`,
        `expected a version from 2 to ${last}: the one that the step leads to`,
      )
    if (typeof migrate !== 'function') throw new SchemaError(`migrations.${version}`, 'expected a function')
  }
  return Object.freeze({ ...steps }) as Schema['migrations']
}

/** Tables, views and indexes share their names in SQLite, which tells them apart by letters without case. */
function checkNames(tables: ReadonlyMap<string, TableSchema>): void {
  const holders = new Map<string, string>()
  const claim = (name: string, place: string, holder: string): void => {
    const other = holders.get(name.toLowerCase())
    if (other !== undefined)
      throw new SchemaError(place, `would share the name "${name}" in SQLite with ${other}: rename one of them`)
    holders.set(name.toLowerCase(), holder)
  }
  for (const name of tables.keys())
    for (const one of [name, baseName(name)]) claim(one, `tables.${name}`, `table '${name}'`)
  for (const [name, { model }] of tables)
    for (const kind of ['unique', 'indexes'] as const)
      for (const [n, index] of model[kind].entries())
        claim(index.name, `tables.${name}.${kind}.${n}`, `an index of table '${name}'`)
  for (const [name, { model }] of tables)
    for (const reference of model.references)
      claim(
        `${name}__reference_${reference.name}`,
        `tables.${name}.references.${reference.name}`,
        `the index of a reference of table '${name}'`,
      )
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
  const defaults = codec.decode(codec.spread(new StoredCells()))
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
