import { SchemaError } from '../../errors/index.ts'
import { formatPath, fromBase64, normalPath, setOwn, type CellValue } from '../../changes/index.ts'
import type { TableInput } from '../types/index.ts'
import { columnKind, flattens, isWithin, ownDefault, refuseInJson, STORAGE } from './column-kind.ts'
import type { Column, ObjectNode } from './column.ts'
import { encodeColumn, EncodeFailure } from './encode-column.ts'
import { FacetReader, isSchemaObject, pointerToken, type Facet, type JsonType, type SchemaObject } from './facets.ts'
import type { IndexModel, Reference, TableModel } from './table-model.ts'

/** SQLite's own limit on the columns of a table. */
const MAX_COLUMNS = 2000
/** Objects within objects whose properties become columns: each asks the ones around it whether they are there. */
const MAX_NESTING = 64
const REST_COLUMN = '_rest'
const SINGLETON_COLUMN = 'rowcast_id'

/** Maps a table of the schema document to columns. Throws SchemaError naming the place for what has no mapping. */
export function buildTable(name: string, index: number, input: TableInput): TableModel {
  return new TableBuilder(name, index, input).build()
}

class TableBuilder {
  readonly #name: string
  readonly #index: number
  readonly #input: TableInput
  readonly #where: string
  readonly #reader: FacetReader
  readonly #columns: Column[] = []
  readonly #names = new Map<string, string>()
  readonly #keyPaths: readonly string[]
  readonly #referencePaths: ReadonlySet<string>
  readonly #restrictedPaths: ReadonlySet<string>
  #open = false

  constructor(name: string, index: number, input: TableInput) {
    this.#name = name
    this.#index = index
    this.#input = input
    this.#where = `tables.${name}`
    this.#reader = new FacetReader(input.schema as SchemaObject, `${this.#where}.schema`)
    this.#keyPaths = this.#readKey()
    this.#referencePaths = new Set(
      Object.entries(input.references ?? {})
        .flatMap(([key, reference]) => reference.properties ?? [key])
        .map(normalPath),
    )
    this.#restrictedPaths = new Set((input.restricted ?? []).map(normalPath))
  }

  build(): TableModel {
    const facets = this.#reader.read(this.#input.schema, '#')
    if (facets === 'recursive' || !this.#isObject(facets))
      throw new SchemaError(`${this.#where}.schema`, "a table's schema must have type 'object'")
    if (this.#input.singleton) this.#singletonKey()
    const root = this.#object(facets, [], undefined, ['#'], { nullable: false, required: true })
    const byPath = new Map(this.#columns.filter((column) => !column.hidden).map((column) => [column.path, column]))
    const rest = this.#open ? this.#restColumn() : undefined
    const key = this.#input.singleton
      ? [this.#columns[0]!]
      : this.#keyPaths.map((path) => this.#keyColumn(path, byPath))
    return {
      name: this.#name,
      index: this.#index,
      base: baseName(this.#name),
      singleton: this.#input.singleton === true,
      root,
      columns: this.#columns,
      restricted: this.#restricted(byPath),
      byPath,
      key,
      // Not int64: a rowid goes through JavaScript as a number.
      rowidKey: key.length === 1 && key[0]!.kind === 'integer',
      rest,
      references: this.#references(byPath),
      unique: (this.#input.unique ?? []).map((paths, n) => this.#indexModel(paths, `unique.${n}`, true, byPath)),
      indexes: (this.#input.indexes ?? []).map((paths, n) => this.#indexModel(paths, `indexes.${n}`, false, byPath)),
      schema: this.#input.schema as SchemaObject,
      crossField: root.crossField,
    }
  }

  #readKey(): readonly string[] {
    const { primaryKey, singleton } = this.#input
    if (singleton) {
      if (primaryKey !== undefined)
        throw new SchemaError(`${this.#where}.primaryKey`, 'a singleton has one row and no key: remove primaryKey')
      return []
    }
    const paths = typeof primaryKey === 'string' ? [primaryKey] : primaryKey
    if (!Array.isArray(paths) || paths.length === 0 || paths.some((path) => typeof path !== 'string'))
      throw new SchemaError(
        `${this.#where}.primaryKey`,
        "expected a property or an array of properties (or 'singleton: true')",
      )
    const normal = (paths as readonly string[]).map(normalPath)
    if (new Set(normal).size !== normal.length)
      throw new SchemaError(`${this.#where}.primaryKey`, 'names a property twice')
    return normal
  }

  #object(
    facets: readonly Facet[],
    segments: readonly string[],
    outer: Column | undefined,
    chain: readonly string[],
    self: { nullable: boolean; required: boolean },
  ): ObjectNode {
    const declared = this.#declared(facets)
    const required = new Set(
      facets.flatMap(({ schema }) => (Array.isArray(schema['required']) ? (schema['required'] as string[]) : [])),
    )
    if (segments.length > MAX_NESTING)
      throw new SchemaError(
        this.#place(segments),
        `lies more than ${MAX_NESTING} objects deep: make an outer one a free-form object`,
      )
    const own = ownDefault(facets)
    const filled = isSchemaObject(own) || this.#fillsItself(facets, this.#defaultOf(facets, chain))
    const mayBeAbsent = segments.length > 0 && (self.nullable || (!self.required && !filled))
    const presence = mayBeAbsent ? this.#presence(facets, segments, outer, self, own) : undefined
    const guard = presence ?? outer
    const properties = new Map<string, ObjectNode | Column>()
    for (const [property, children] of declared) {
      const childSegments = [...segments, property]
      const read = this.#readAll(children, chain)
      const types = read === undefined ? undefined : this.#reader.types(read.facets)
      if (types?.size === 0) continue // nothing is valid there: ajv refuses whatever is given
      const nullable = types?.has('null') ?? true
      if (read && types && flattens(read.facets, types) && this.#agrees(read.facets, read.chain)) {
        properties.set(
          property,
          this.#object(read.facets, childSegments, guard, read.chain, { nullable, required: required.has(property) }),
        )
      } else {
        const leaf = read?.facets ?? children
        properties.set(
          property,
          this.#leaf(leaf, childSegments, guard, { nullable, required: required.has(property), types }),
        )
      }
    }
    if (!isClosed(facets)) this.#open = true
    return {
      kind: 'object',
      segments,
      path: formatPath(segments),
      nullable: self.nullable,
      required,
      properties,
      presence,
      guard,
      crossField: facets.some((facet) => this.#reader.isCrossField(facet)),
      facets,
    }
  }

  #leaf(
    facets: readonly Facet[],
    segments: readonly string[],
    guard: Column | undefined,
    self: { nullable: boolean; required: boolean; types: Set<JsonType> | undefined },
  ): Column {
    const path = formatPath(segments)
    const place = this.#place(segments)
    const kind = columnKind(facets, self.types)
    if (kind === 'json') refuseInJson(facets, place)
    const isKey = this.#keyPaths.includes(path)
    if (isKey && (self.nullable || guard || kind === 'json' || kind === 'binary'))
      throw new SchemaError(
        place,
        'a primary key must be a string, number or boolean that is always there and never null',
      )
    const isReference = this.#referencePaths.has(path)
    const defaultValue = storedDefault(kind, ownDefault(facets))
    // A reference's constraint must see NULL, and a 64-bit integer needs INTEGER affinity: neither can have a null mark.
    const unmarkable = isReference || kind === 'int64'
    const full = isKey || (defaultValue !== undefined && (isReference || (kind === 'int64' && self.nullable)))
    const nullIsPlain = (self.required && !guard && defaultValue === undefined) || defaultValue === null || full
    const marked = self.nullable && !nullIsPlain && !unmarkable
    const nullInRest = self.nullable && !nullIsPlain && unmarkable
    if (nullInRest) this.#open = true
    const restricted = this.#restrictedPaths.has(path)
    const column: Column = {
      index: this.#columns.length,
      name: this.#columnName(segments),
      segments,
      path,
      kind,
      storage: (marked || restricted) && kind !== 'json' ? 'ANY' : STORAGE[kind],
      nullable: self.nullable,
      required: self.required || isKey,
      defaultValue,
      defaultSql: null,
      full,
      nullMark: marked ? (kind === 'json' || kind === 'binary' ? 'null' : EMPTY_BLOB) : undefined,
      hiddenMark: restricted ? (kind === 'json' || kind === 'binary' ? 'hidden' : ZERO_BLOB) : undefined,
      nullInRest,
      guard,
      facets,
      hidden: false,
    }
    const withDefault =
      defaultValue === undefined || defaultValue === null
        ? column
        : { ...column, defaultSql: this.#encodeDefault(column, place) }
    this.#columns.push(withDefault)
    return withDefault
  }

  #encodeDefault(column: Column, place: string): Column['defaultSql'] {
    try {
      return encodeColumn(column, column.defaultValue)
    } catch (error) {
      if (error instanceof EncodeFailure)
        throw new SchemaError(`${place}.default`, JSON_FORMS[column.kind] ?? error.message, { cause: error })
      throw error
    }
  }

  #presence(
    facets: readonly Facet[],
    segments: readonly string[],
    outer: Column | undefined,
    self: { nullable: boolean; required: boolean },
    own: CellValue,
  ): Column {
    const column: Column = {
      index: this.#columns.length,
      name: this.#columnName(segments),
      segments,
      path: formatPath(segments),
      kind: 'presence',
      storage: 'INTEGER',
      nullable: self.nullable,
      required: self.required,
      full: false,
      nullMark: undefined,
      hiddenMark: undefined,
      nullInRest: false,
      defaultValue: own === null ? null : isSchemaObject(own) ? {} : undefined,
      defaultSql: own === null ? 0 : isSchemaObject(own) ? 1 : null,
      guard: outer,
      facets,
      hidden: false,
    }
    this.#columns.push(column)
    return column
  }

  #restColumn(): Column {
    this.#claim(REST_COLUMN, [REST_COLUMN])
    const column: Column = {
      index: this.#columns.length,
      name: REST_COLUMN,
      segments: [],
      path: '',
      kind: 'rest',
      storage: 'TEXT',
      nullable: false,
      required: false,
      defaultValue: undefined,
      defaultSql: null,
      full: false,
      nullMark: undefined,
      hiddenMark: undefined,
      nullInRest: false,
      guard: undefined,
      facets: [],
      hidden: true,
    }
    this.#columns.push(column)
    return column
  }

  #singletonKey(): void {
    this.#claim(SINGLETON_COLUMN, [SINGLETON_COLUMN])
    this.#columns.push({
      index: 0,
      name: SINGLETON_COLUMN,
      segments: [],
      path: '',
      kind: 'integer',
      storage: 'INTEGER',
      nullable: false,
      required: true,
      defaultValue: undefined,
      defaultSql: null,
      full: true,
      nullMark: undefined,
      hiddenMark: undefined,
      nullInRest: false,
      guard: undefined,
      facets: [],
      hidden: true,
    })
  }

  /**
   * Whether an optional object is always there because its defaults make it valid: it has at least one, and every
   * property that it requires has one. `filled` is what its properties make of it.
   */
  #fillsItself(facets: readonly Facet[], filled: { readonly [property: string]: CellValue }): boolean {
    if (facets.some((facet) => this.#reader.isCrossField(facet))) return false
    const required = facets.flatMap(({ schema }) =>
      Array.isArray(schema['required']) ? (schema['required'] as string[]) : [],
    )
    return Object.keys(filled).length > 0 && required.every((property) => Object.hasOwn(filled, property))
  }

  /** What an object's properties make of it by their own defaults. */
  #defaultOf(facets: readonly Facet[], chain: readonly string[]): { [property: string]: CellValue } {
    const filled: { [property: string]: CellValue } = {}
    for (const [property, children] of this.#declared(facets)) {
      const read = this.#readAll(children, chain)
      const types = read && this.#reader.types(read.facets)
      const own = ownDefault(read?.facets ?? children)
      let value = own
      if (read && types && flattens(read.facets, types) && own !== null) {
        const inner = this.#defaultOf(read.facets, read.chain)
        if (isSchemaObject(own) || (!types.has('null') && this.#fillsItself(read.facets, inner))) value = inner
      }
      if (value !== undefined) setOwn(filled, property, value)
    }
    return filled
  }

  /**
   * Whether an object's own default says no more than its properties' defaults make of it. Otherwise it can't be told
   * by columns what is absent and what is empty: such an object is kept whole, in a JSON column.
   */
  #agrees(facets: readonly Facet[], chain: readonly string[]): boolean {
    const own = ownDefault(facets)
    if (!isSchemaObject(own)) return true
    const filled = this.#defaultOf(facets, chain)
    if (isWithin(own, filled)) return true
    if (Object.keys(filled).length === 0) return false
    throw new SchemaError(
      `${this.#reader.at(facets[0]!.pointer)}.default`,
      "an object's default and those of its properties disagree: give each property its default, and the object {}",
    )
  }

  #declared(facets: readonly Facet[]): Map<string, Facet[]> {
    const declared = new Map<string, Facet[]>()
    for (const { schema, pointer } of facets) {
      const properties = schema['properties']
      if (properties === undefined) continue
      if (!isSchemaObject(properties))
        throw new SchemaError(this.#reader.at(`${pointer}/properties`), 'expected an object of schemas')
      for (const property of Object.keys(properties)) {
        const childPointer = `${pointer}/properties/${pointerToken(property)}`
        if (property === '__proto__')
          throw new SchemaError(
            this.#reader.at(childPointer),
            "a property can't be declared under the name __proto__: ajv does not validate it",
          )
        const known = declared.get(property) ?? []
        known.push({ schema: properties[property] as SchemaObject, pointer: childPointer })
        declared.set(property, known)
      }
    }
    return declared
  }

  #readAll(
    children: readonly Facet[],
    chain: readonly string[],
  ): { facets: readonly Facet[]; chain: readonly string[] } | undefined {
    const facets: Facet[] = []
    const entered = [...chain]
    for (const child of children) {
      const ref = isSchemaObject(child.schema) ? child.schema['$ref'] : undefined
      const read = this.#reader.read(child.schema, child.pointer, chain)
      if (read === 'recursive') return undefined
      if (typeof ref === 'string') entered.push(ref)
      entered.push(...read.map((facet) => facet.pointer))
      facets.push(...read)
    }
    return { facets, chain: entered }
  }

  #isObject(facets: readonly Facet[]): boolean {
    const types = this.#reader.types(facets)
    return types.size === 1 && types.has('object')
  }

  #columnName(segments: readonly string[]): string {
    const name = segments.join('_') || '_'
    this.#claim(name, segments)
    return name
  }

  /** SQLite tells names apart by ASCII letters without case. */
  #claim(name: string, segments: readonly string[]): void {
    if (this.#columns.length >= MAX_COLUMNS)
      throw new SchemaError(
        `${this.#where}.schema`,
        `more than ${MAX_COLUMNS} columns, which SQLite can't take: keep parts of it in free-form objects`,
      )
    const id = name.replace(/[A-Z]/g, (letter) => letter.toLowerCase())
    const holder = this.#names.get(id)
    const path = formatPath(segments)
    if (holder !== undefined)
      throw new SchemaError(
        this.#place(segments),
        `'${path}' and '${holder}' would both be column "${name}": rename one of them`,
      )
    if (id === 'rowid')
      throw new SchemaError(
        this.#place(segments),
        "a property can't be called rowid: it is SQLite's own name for a row's place",
      )
    if (name.includes('\0')) throw new SchemaError(this.#place(segments), "a property name can't contain NUL")
    this.#names.set(id, path)
  }

  /** Each names one column whose cell can hold a mark. */
  #restricted(byPath: ReadonlyMap<string, Column>): readonly Column[] {
    if (this.#restrictedPaths.size === 0) return []
    const unique = new Set((this.#input.unique ?? []).flat().map(normalPath))
    return [...this.#restrictedPaths].map((path) => {
      const place = `${this.#where}.restricted`
      const column = byPath.get(path)
      if (column?.kind === 'presence' || this.#isObjectAt(path))
        throw new SchemaError(place, `'${path}' is an object of several properties: name its properties`)
      if (!column) throw new SchemaError(place, `'${path}' is not a property that has a column`)
      if (this.#keyPaths.includes(path))
        throw new SchemaError(place, `'${path}' is part of the primary key, which whoever sees the row sees`)
      if (this.#referencePaths.has(path))
        throw new SchemaError(place, `'${path}' is a reference, which SQLite must be able to follow`)
      if (unique.has(path))
        throw new SchemaError(place, `'${path}' is unique, and a value that is taken tells that it is there`)
      if (column.kind === 'int64')
        throw new SchemaError(place, `'${path}' is a 64-bit integer, which has no place for a mark: make it a string`)
      return column
    })
  }

  #isObjectAt(path: string): boolean {
    return this.#columns.some(
      ({ segments }) =>
        segments.length > 0 &&
        formatPath(segments) !== path &&
        segments.some((_, n) => formatPath(segments.slice(0, n)) === path),
    )
  }

  #keyColumn(path: string, byPath: ReadonlyMap<string, Column>): Column {
    const column = byPath.get(path)
    if (!column || column.kind === 'presence')
      throw new SchemaError(`${this.#where}.primaryKey`, `'${path}' is not a property of the table's schema`)
    return column
  }

  #indexModel(paths: unknown, place: string, unique: boolean, byPath: ReadonlyMap<string, Column>): IndexModel {
    const list = typeof paths === 'string' ? [paths] : paths
    if (!Array.isArray(list) || list.length === 0)
      throw new SchemaError(`${this.#where}.${place}`, 'expected an array of property paths')
    const columns = list.map((path: unknown) => {
      const column = typeof path === 'string' ? byPath.get(normalPath(path)) : undefined
      if (!column)
        throw new SchemaError(`${this.#where}.${place}`, `'${String(path)}' is not a property that has a column`)
      if (column.kind === 'json')
        throw new SchemaError(
          `${this.#where}.${place}`,
          `'${column.path}' is a JSON column: index a property with a value of its own`,
        )
      return column
    })
    return {
      name: `${this.#name}__${unique ? 'unique' : 'index'}_${columns.map((column) => column.name).join('__')}`,
      columns,
      unique,
    }
  }

  #references(byPath: ReadonlyMap<string, Column>): Reference[] {
    return Object.entries(this.#input.references ?? {}).map(([name, reference]) => {
      const place = `${this.#where}.references.${name}`
      const columns = (reference.properties ?? [name]).map((path) => {
        const column = byPath.get(normalPath(path))
        if (!column || column.kind === 'json' || column.kind === 'presence')
          throw new SchemaError(place, `'${path}' is not a property that has a column`)
        return column
      })
      const onDelete = reference.onDelete ?? 'restrict'
      if (!['cascade', 'restrict', 'setNull'].includes(onDelete))
        throw new SchemaError(`${place}.onDelete`, `'${onDelete}' is not one of cascade, restrict, setNull`)
      if (onDelete === 'setNull' && columns.some((column) => column.required && !column.nullable))
        throw new SchemaError(
          `${place}.onDelete`,
          `setNull needs a property that may be null or absent: allow null in '${name}', or take it out of required`,
        )
      return { name, columns, table: reference.table, onDelete }
    })
  }

  #place(segments: readonly string[]): string {
    return `${this.#where}.schema${segments.map((segment) => `.properties.${segment}`).join('')}`
  }
}

const EMPTY_BLOB = new Uint8Array(0)
const ZERO_BLOB = new Uint8Array(1)

/** The name of the table behind a view. */
export function baseName(table: string): string {
  return `${table}__base`
}

/** Whether an object has no properties but those declared. What matches a pattern is let in beside them. */
function isClosed(facets: readonly Facet[]): boolean {
  const hasPatterns = facets.some(({ schema }) => schema['patternProperties'] !== undefined)
  return facets.some(
    ({ schema }) =>
      (schema['additionalProperties'] === false && schema['patternProperties'] === undefined) ||
      (schema['unevaluatedProperties'] === false && !hasPatterns),
  )
}

/** How a default says, in plain JSON, what rows have a type of JavaScript for. */
const JSON_FORMS: { readonly [kind in Column['kind']]?: string } = {
  int64: 'must be an integer of 64 bits: beyond 2^53-1, where numbers are not exact, as a text ("9007199254740993")',
  binary: 'must be a text in base64',
}

/** A default as rows have it: a schema says a 64-bit integer as a number or its digits, and bytes as base64. */
function storedDefault(kind: Column['kind'], value: CellValue | undefined): CellValue | undefined {
  if (kind === 'int64' && (Number.isSafeInteger(value) || (typeof value === 'string' && /^-?\d{1,19}$/.test(value))))
    return BigInt(value as number | string)
  if (kind !== 'binary' || typeof value !== 'string') return value
  try {
    return fromBase64(value)
  } catch {
    // It is refused for what it is: a text.
    return value
  }
}
