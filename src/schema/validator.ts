import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormatsModule from 'ajv-formats'
import { formatPath, setOwn, toBase64, type CellValue, type Key } from '../changes/index.ts'
import { SchemaError, type ValidationIssue } from '../errors/index.ts'
import { isColumn, type Column, type ObjectNode } from './model/column.ts'
import { isDraft07 } from './model/facets.ts'
import { RowEncodeFailure, type RowCodec, type RowObject } from './model/row-codec.ts'
import type { TableModel } from './model/table-model.ts'
import type { PatternEngine } from './pattern-engine.ts'
import { codeDepth } from './code-depth.ts'
import { addExactBounds, isBeyondDoubles, type ExactValues } from './exact-bounds.ts'
import { addUniqueItems } from './unique-items.ts'

// A CommonJS module: bundlers and Node disagree on where its function is.
const addFormats = ((addFormatsModule as unknown as { default?: unknown }).default ?? addFormatsModule) as (
  ajv: Ajv,
) => Ajv

/** Formats that say how a number is stored, which rowcast checks itself. */
const STORAGE_FORMATS = ['int64', 'int32', 'float', 'double', 'byte', 'binary', 'password'] as const

/** A user and a password, as ajv-formats looks for them in a URL. */
const USER_INFO = '\\S+(?::\\S*)?@'

/**
 * Of a row of more values than this the first error is found, and not all: each value may have several, and each error
 * takes a hundred times what the value does.
 */
const MOST_VALUES = 10_000

/** How deep generated code may nest: V8 takes some 1,300 blocks, and less where it is called from deep. */
const MAX_CODE_DEPTH = 600

/** More alternatives than this take seconds to compile, where they can be compiled at all. */
const MAX_ALTERNATIVES = 2_000

const TOO_MANY_ALTERNATIVES =
  'has more alternatives in anyOf or oneOf than can be compiled: write plain values as enum, or group them'

/** What ajv has compiled of one table: its rows, and its columns as they are asked for. */
interface Validators {
  readonly ajv: Ajv
  readonly row: ValidateFunction
  /** Whether 64-bit integers are compared by their own values. */
  readonly isExact: boolean
  /** `undefined` for a column of which the schema says nothing that its kind does not say. */
  readonly leaves: Map<Column, ValidateFunction | undefined>
}

/** The columns of a row whose values are there, but can't be seen: `hiddenColumns` makes it. */
export interface Hidden {
  readonly columns: readonly Column[]
  /** Leaves out the errors that may be due to them. */
  readonly withoutErrors: (
    errors: readonly ErrorObject[],
    table: TableModel,
    hidden: readonly Column[],
    isWrong: (column: Column) => boolean,
  ) => ErrorObject[]
}

/** Validates the rows of one table with ajv, whole or one column at a time. */
export class TableValidator {
  readonly #table: TableModel
  readonly #codec: RowCodec
  readonly #id: string
  /** Stops at the first error, but for rows of a schema that is too wide for that: those have only `#thorough`. */
  readonly #quick: Validators
  /** Finds all errors: made once there are any, or at once for a wide schema. */
  #thorough: Validators | undefined
  /** The same two for rows with integers that no double is equal to, once there are any: by whether they find all errors. */
  readonly #exact = new Map<boolean, Validators>()
  /** Those of the row that is being validated. */
  #exactValues: ExactValues = new Map()
  /** Columns whose values are not JSON: they are validated as their JSON form. */
  readonly #special: readonly Column[]
  readonly #patterns: PatternEngine | undefined

  /** Throws SchemaError where ajv can't compile the schema. Without an engine, patterns are JavaScript's. */
  constructor(table: TableModel, codec: RowCodec, patterns?: PatternEngine) {
    this.#patterns = patterns
    this.#table = table
    this.#codec = codec
    this.#id = `rowcast:${encodeURIComponent(table.name)}`
    if (codeDepth(table.schema, true) > MAX_ALTERNATIVES)
      throw new SchemaError(`tables.${table.name}.schema`, TOO_MANY_ALTERNATIVES)
    this.#special = table.columns.filter((column) => column.kind === 'int64' || column.kind === 'binary')
    try {
      if (codeDepth(table.schema, false) > MAX_CODE_DEPTH) this.#thorough = this.#compile(true)
      this.#quick = this.#compile(false, this.#thorough?.row)
      // Engines compile a function when it is first called: what nests too deep for them is to be told now.
      this.#quick.row({})
    } catch (error) {
      throw new SchemaError(`tables.${table.name}.schema`, whyNotCompiled(error, table), { cause: error })
    }
  }

  /**
   * What is wrong with a row, `[]` if nothing is. A default stands in for whatever the row leaves out.
   *
   * @param hidden columns whose values are there, but can't be seen: `hiddenColumns` makes it
   */
  row(row: RowObject, key: Key | undefined, hidden?: Hidden): ValidationIssue[] {
    let errors = this.#errorsOf(row, hidden)
    let failure: RowEncodeFailure | undefined
    // Something required may be there by its default. Most rows need no such second look.
    if (errors.some((error) => error.keyword === 'required')) {
      const complete = this.#complete(row, hidden)
      if (complete instanceof RowEncodeFailure) {
        failure = complete
        errors = errors.filter((error) => error.keyword !== 'required')
      } else {
        // A missing property is stored as null is, but was not given.
        const missing = errors.filter((error) => error.keyword === 'required' && this.#hasNoDefault(error))
        const others = this.#errorsOf(complete, hidden)
        errors = [...missing.filter((error) => !others.some((other) => isSame(error, other))), ...others]
      }
    }
    const issues = errors.map((error) => this.#issue(error, key, []))
    if (failure && issues.length === 0)
      issues.push({
        table: this.#table.name,
        key,
        path: formatPath(failure.path),
        keyword: failure.keyword,
        message: failure.message,
      })
    for (const column of this.#table.key)
      if (
        !column.hidden &&
        valueAt(row, column.segments) === undefined &&
        !issues.some((issue) => issue.path === column.path)
      )
        issues.push({
          table: this.#table.name,
          key,
          path: column.path,
          keyword: 'required',
          message: 'is the primary key and must be given',
        })
    return issues
  }

  /** What is wrong with the value of one column, judged alone; `undefined` if nothing is. */
  leaf(column: Column, value: CellValue, key: Key | undefined): ValidationIssue[] | undefined {
    const quick = this.#leaf(this.#quick, column)
    if (!quick) return undefined
    const json = column.kind === 'int64' || column.kind === 'binary' ? jsonValue(value) : value
    if (isBeyondDoubles(column, value)) {
      const errors = this.#exactly(new Map([['', value]]), json, (validators) => this.#leaf(validators, column)!)
      return errors.length === 0 ? undefined : errors.map((error) => this.#issue(error, key, column.segments))
    }
    if (quick(json)) return undefined
    const thorough = isLarge(json) ? quick : this.#leaf(this.#all, column)!
    if (thorough !== quick) thorough(json)
    return (thorough.errors ?? []).map((error) => this.#issue(error, key, column.segments))
  }

  get #all(): Validators {
    return (this.#thorough ??= this.#compile(true))
  }

  /** What is wrong with a value that has such integers in it. */
  #exactly(
    values: ExactValues,
    json: CellValue,
    validatorOf: (validators: Validators) => ValidateFunction,
  ): readonly ErrorObject[] {
    const allErrors = !isLarge(json)
    let validators = this.#exact.get(allErrors)
    if (!validators) this.#exact.set(allErrors, (validators = this.#compile(allErrors, undefined, true)))
    this.#exactValues = values
    try {
      const validate = validatorOf(validators)
      return validate(json) ? [] : (validate.errors ?? [])
    } finally {
      this.#exactValues = new Map()
    }
  }

  #compile(allErrors: boolean, row?: ValidateFunction, isExact = false): Validators {
    const ajv = createAjv(this.#table, allErrors, this.#patterns)
    if (isExact) addExactBounds(ajv, () => this.#exactValues)
    const { $id: _ignored, ...schema } = this.#table.schema
    ajv.addSchema(schema, this.#id)
    // To find a part of a schema, ajv compiles the whole where that has no function yet.
    if (row) ajv.schemas[this.#id]!.validate = row
    return { ajv, row: row ?? ajv.getSchema(this.#id)!, isExact, leaves: new Map() }
  }

  #leaf({ ajv: given, isExact, leaves }: Validators, column: Column): ValidateFunction | undefined {
    if (leaves.has(column)) return leaves.get(column)
    const facets = column.facets.filter((facet) => !facet.orNull)
    const isWide = facets.some(({ schema }) => codeDepth(schema, false) > MAX_CODE_DEPTH)
    const ajv = isWide && !isExact ? this.#all.ajv : given
    const validate =
      facets.length === 0
        ? undefined
        : ajv.compile({ allOf: facets.map(({ pointer }) => ({ $ref: `${this.#id}${pointer}` })) })
    leaves.set(column, validate)
    return validate
  }

  #hasNoDefault(error: ErrorObject): boolean {
    let node: ObjectNode | Column | undefined = this.#table.root
    for (const segment of [
      ...pointerSegments(error.instancePath),
      String((error.params as Record<string, unknown>)['missingProperty']),
    ])
      node = node && !isColumn(node) ? node.properties.get(segment) : undefined
    return node !== undefined && !comesByDefault(node)
  }

  #errorsOf(row: RowObject, hidden: Hidden | undefined): readonly ErrorObject[] {
    const errors = this.#allErrorsOf(row, hidden)
    if (!hidden || errors.length === 0) return errors
    // The verdicts on single columns go over the same compiled schema: not while its errors are read.
    return hidden.withoutErrors([...errors], this.#table, hidden.columns, (column) => {
      const value = valueAt(row, column.segments)
      return value !== undefined && this.leaf(column, value, undefined) !== undefined
    })
  }

  #allErrorsOf(row: RowObject, hidden: Hidden | undefined): readonly ErrorObject[] {
    const beyond = this.#special.flatMap((column): [string, bigint][] => {
      const value = valueAt(row, column.segments)
      return isBeyondDoubles(column, value) ? [[pointerOf(column.segments), value]] : []
    })
    if (beyond.length === 0) return this.#jsonErrorsOf(row, hidden)
    return this.#exactly(new Map(beyond), this.#jsonForm(row), ({ row: validate }) => validate)
  }

  #jsonErrorsOf(row: RowObject, hidden: Hidden | undefined): readonly ErrorObject[] {
    const json = this.#special.length === 0 ? row : this.#jsonForm(row)
    const large = !hidden && isLarge(json)
    if (large && this.#quick.row === this.#thorough?.row) {
      const first = this.#firstByColumn(json)
      if (first.length > 0) return first
    }
    if (this.#quick.row(json)) return []
    // Where errors may be left out, the first need not be one that counts.
    if (large) return this.#quick.row.errors ?? []
    const { row: thorough } = this.#all
    thorough(json)
    return thorough.errors ?? []
  }

  /** What is wrong with the first column that is not right in itself. */
  #firstByColumn(row: RowObject): readonly ErrorObject[] {
    for (const column of this.#table.columns) {
      const value = valueAt(row, column.segments)
      const validate = value === undefined ? undefined : this.#leaf(this.#quick, column)
      if (validate && !validate(value))
        return (validate.errors ?? []).map((error) => ({
          ...error,
          instancePath: pointerOf(column.segments) + error.instancePath,
        }))
    }
    return []
  }

  /** The row with its defaults, or why it can't be stored. */
  #complete(row: RowObject, hidden: Hidden | undefined): RowObject | RowEncodeFailure {
    try {
      const cells = this.#codec.encode(row)
      for (const column of hidden?.columns ?? []) cells.set(column.index, column.hiddenMark!)
      return this.#codec.decode(this.#codec.spread(cells))
    } catch (error) {
      if (error instanceof RowEncodeFailure) return error
      throw error
    }
  }

  #issue(error: ErrorObject, key: Key | undefined, base: readonly string[]): ValidationIssue {
    const segments: string[] = [...base, ...pointerSegments(error.instancePath)]
    const params: Readonly<Record<string, unknown>> = error.params
    const named = params['missingProperty'] ?? params['additionalProperty'] ?? params['unevaluatedProperty']
    if (typeof named === 'string') segments.push(named)
    const allowed =
      error.keyword === 'enum'
        ? `: ${JSON.stringify(error.params['allowedValues'])}`
        : error.keyword === 'const'
          ? `: ${JSON.stringify(error.params['allowedValue'])}`
          : ''
    return {
      table: this.#table.name,
      key,
      path: formatPath(segments),
      keyword: error.keyword,
      params,
      message: `${error.message ?? 'is not valid'}${allowed}`,
    }
  }

  #jsonForm(row: RowObject): RowObject {
    let form = row
    for (const column of this.#special) {
      const value = valueAt(row, column.segments)
      if (typeof value === 'bigint' || value instanceof Uint8Array)
        form = withValue(form, column.segments, 0, jsonValue(value))
    }
    return form
  }
}

function whyNotCompiled(error: unknown, table: TableModel): string {
  if (!(error instanceof RangeError)) return error instanceof Error ? error.message : String(error)
  return codeDepth(table.schema, true) > MAX_CODE_DEPTH
    ? TOO_MANY_ALTERNATIVES
    : 'has longer chains of $ref than can be compiled: refer to the last definition of a chain at once'
}

/** Whether two errors say that the same property is missing, by the same rule. */
function isSame(error: ErrorObject, other: ErrorObject): boolean {
  return (
    error.schemaPath === other.schemaPath &&
    error.instancePath === other.instancePath &&
    error.params['missingProperty'] === other.params['missingProperty']
  )
}

/** Whether a property that is left out is there all the same. */
function comesByDefault(node: ObjectNode | Column): boolean {
  if (isColumn(node)) return node.defaultValue !== undefined
  if (node.presence) return node.presence.defaultSql !== null
  const children = [...node.properties]
  return (
    children.some(([, child]) => comesByDefault(child)) &&
    children.every(([name, child]) => !node.required.has(name) || comesByDefault(child))
  )
}

/** Whether there are more values in one than all errors are looked for in. */
function isLarge(value: CellValue): boolean {
  let left = MOST_VALUES
  const isIn = (one: CellValue): boolean => {
    if (--left < 0) return true
    if (typeof one !== 'object' || one === null || one instanceof Uint8Array) return false
    return Array.isArray(one) ? one.some(isIn) : Object.values(one as RowObject).some(isIn)
  }
  return isIn(value)
}

/** The value at a path of declared properties. */
export function valueAt(row: RowObject, segments: readonly string[]): CellValue {
  let value: CellValue = row
  for (const segment of segments) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, segment)) return undefined
    value = (value as RowObject)[segment]
  }
  return value
}

function withValue(object: RowObject, segments: readonly string[], depth: number, value: CellValue): RowObject {
  const copy: Record<string, CellValue> = { ...object }
  const name = segments[depth]!
  setOwn(
    copy,
    name,
    depth === segments.length - 1 ? value : withValue(copy[name] as RowObject, segments, depth + 1, value),
  )
  return copy
}

/** A binary value as base64, a 64-bit integer as the nearest number. */
function jsonValue(value: CellValue): CellValue {
  if (typeof value === 'bigint') return Number(value)
  return value instanceof Uint8Array ? toBase64(value) : value
}

function createAjv(table: TableModel, allErrors: boolean, patterns: PatternEngine | undefined): Ajv {
  const options = {
    strict: false,
    allErrors,
    ownProperties: true,
    logger: false,
    validateSchema: true,
    // Errors then name the schema that they come from.
    verbose: table.restricted.length > 0,
    ...(patterns && { code: { regExp: regExpOf(patterns) } }),
  } as const
  const ajv: Ajv = isDraft07(table.schema) ? new Ajv(options) : new Ajv2020(options)
  addUniqueItems(ajv)
  addFormats(ajv)
  const { url } = ajv.formats
  // The same texts, without a choice of where the password begins: that took time by the square of the text.
  if (url instanceof RegExp) ajv.addFormat('url', new RegExp(url.source.replace(USER_INFO, '\\S+@'), url.flags))
  // ajv-formats has no BigInt: rowcast checks these itself.
  for (const format of STORAGE_FORMATS) ajv.addFormat(format, true)
  return ajv
}

/** An engine as ajv asks for it: what it makes is known by its text, and would be called `code` where it is written out. */
function regExpOf(patterns: PatternEngine): { (pattern: string): { test(text: string): boolean }; code: string } {
  return Object.assign(
    (pattern: string) => {
      const made = patterns(pattern)
      return { test: (text: string) => made.test(text), toString: () => `/${pattern}/u` }
    },
    {
      code: 'patterns',
    },
  )
}

/** The property names of a JSON pointer. */
export function pointerSegments(pointer: string): string[] {
  return pointer === ''
    ? []
    : pointer
        .slice(1)
        .split('/')
        .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'))
}

/** The place of a property in a row, as ajv names it. */
function pointerOf(segments: readonly string[]): string {
  return segments.map((segment) => `/${segment.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}
