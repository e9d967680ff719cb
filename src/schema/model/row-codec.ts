import { deepFreeze, setOwn, type CellValue } from '../../changes/index.ts'
import type { SqlValue } from '../../drivers/index.ts'
import { isColumn, type Column, type ObjectNode } from './column.ts'
import { decodeColumn, parseJson } from './decode-column.ts'
import { EncodeFailure, encodeColumn, encodeJson } from './encode-column.ts'
import { StoredCells } from './stored-cells.ts'
import type { TableModel } from './table-model.ts'

/** A row as an object: what `get` returns. */
export type RowObject = { readonly [property: string]: CellValue }

/** A value that has no place in the row, with the path where it stands. */
export class RowEncodeFailure extends Error {
  override readonly name: string = 'RowEncodeFailure'
  readonly path: readonly string[]
  readonly keyword: string

  constructor(path: readonly string[], keyword: string, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.path = path
    this.keyword = keyword
  }
}

/** Turns the rows of one table into stored cells and back. */
export class RowCodec {
  readonly #table: TableModel
  /** By object: what it looks like when none of its columns is stored. Shared by every row, frozen. */
  readonly #templates = new Map<ObjectNode, RowObject>()
  readonly #fullDefaults: readonly Column[]

  constructor(table: TableModel) {
    this.#table = table
    this.#fullDefaults = table.columns.filter(
      (column) => column.full && column.defaultValue !== undefined && column.defaultValue !== null,
    )
    this.#template(table.root)
  }

  /** The frozen row of stored values in the order of the base table's columns. Throws MalformedJson. */
  decode(stored: readonly SqlValue[]): RowObject {
    const row = this.#build(this.#table.root, stored) as RowObject
    const rest = this.#table.rest && stored[this.#table.rest.index]
    if (rest === undefined || rest === null) return row
    return this.#mergeRest(this.#table.root, row, parseJson(rest) as RowObject)
  }

  /** The cells to store for a row as given. Throws RowEncodeFailure. */
  encode(row: RowObject): StoredCells {
    const cells = new StoredCells()
    for (const column of this.#fullDefaults) cells.set(column.index, encodeColumn(column, undefined))
    const rest = this.#encodeObject(this.#table.root, row, cells)
    if (rest) {
      if (!this.#table.rest)
        throw new RowEncodeFailure(
          Object.keys(rest).slice(0, 1),
          'additionalProperties',
          'the schema has no such property',
        )
      cells.set(this.#table.rest.index, JSON.stringify(rest))
    }
    return cells
  }

  /** The stored cells as an array over all columns, NULL where nothing is stored. */
  spread({ columns, values }: StoredCells): SqlValue[] {
    const stored = new Array<SqlValue>(this.#table.columns.length).fill(null)
    for (let at = 0; at < columns.length; at++) stored[columns[at]!] = values[at]!
    return stored
  }

  #template(node: ObjectNode): RowObject {
    const known = this.#templates.get(node)
    if (known) return known
    const template: Record<string, CellValue> = {}
    for (const [name, child] of node.properties) {
      const inner = isColumn(child) ? undefined : this.#template(child)
      const presence = isColumn(child) ? undefined : child.presence?.defaultSql
      const value = isColumn(child)
        ? absentValue(child)
        : presence === undefined || presence === 1
          ? inner
          : presence === 0
            ? null
            : undefined
      if (value !== undefined) setOwn(template, name, deepFreeze(value))
    }
    Object.freeze(template)
    this.#templates.set(node, template)
    return template
  }

  #build(node: ObjectNode, stored: readonly SqlValue[]): RowObject | null | undefined {
    if (node.presence) {
      const present = stored[node.presence.index] ?? node.presence.defaultSql
      if (present === null) return undefined
      if (present === 0) return null
    }
    const template = this.#templates.get(node)!
    let built: Record<string, CellValue> | undefined
    for (const [name, child] of node.properties) {
      let value: CellValue
      if (isColumn(child)) {
        const cell = stored[child.index]!
        if (cell === null) {
          // Bytes can't be frozen: each row has its own.
          if (child.defaultValue instanceof Uint8Array) setOwn((built ??= { ...template }), name, absentValue(child))
          continue
        }
        value = freezeValue(decodeColumn(child, cell))
        if (value === undefined) {
          // Hidden: the default does not show either.
          built ??= { ...template }
          delete built[name]
          continue
        }
      } else {
        value = this.#build(child, stored)
        if (value === (Object.hasOwn(template, name) ? template[name] : undefined)) continue
      }
      built ??= { ...template }
      setOwn(built, name, value)
    }
    return built ? Object.freeze(built) : template
  }

  #mergeRest(node: ObjectNode, row: RowObject, rest: RowObject): RowObject {
    const merged: Record<string, CellValue> = { ...row }
    for (const name of Object.keys(rest)) {
      const child = node.properties.get(name)
      const value = rest[name]
      if (!child) setOwn(merged, name, deepFreeze(value))
      else if (isColumn(child)) {
        if (!Object.hasOwn(merged, name)) setOwn(merged, name, value)
      } else {
        const inner = Object.hasOwn(merged, name) ? merged[name] : undefined
        if (isObject(inner) && isObject(value)) setOwn(merged, name, this.#mergeRest(child, inner, value))
      }
    }
    return Object.freeze(merged)
  }

  #encodeObject(node: ObjectNode, value: RowObject, cells: StoredCells): Record<string, CellValue> | undefined {
    let rest: Record<string, CellValue> | undefined
    const keep = (name: string, kept: CellValue): void => setOwn((rest ??= {}), name, kept)
    let at = ''
    try {
      for (const name of Object.keys(value)) {
        const member = value[name]
        if (member === undefined) continue
        at = name
        const child = node.properties.get(name)
        if (!child) {
          encodeJson(member)
          keep(name, member)
        } else if (isColumn(child)) {
          const encoded = encodeColumn(child, member)
          if (encoded !== null || child.full) cells.set(child.index, encoded)
          if (member === null && child.nullInRest) keep(name, null)
        } else if (member === null) {
          if (!child.presence || !child.nullable) throw new EncodeFailure('type', 'must be object')
          if (child.presence.defaultSql !== 0) cells.set(child.presence.index, 0)
        } else {
          if (!isObject(member)) throw new EncodeFailure('type', 'must be object')
          if (child.presence && child.presence.defaultSql !== 1) cells.set(child.presence.index, 1)
          const inner = this.#encodeObject(child, member, cells)
          if (inner) keep(name, inner)
        }
      }
    } catch (error) {
      if (!(error instanceof EncodeFailure)) throw error
      throw new RowEncodeFailure([...node.segments, at], error.keyword, error.message, { cause: error })
    }
    return rest
  }
}

/** The value of a column that stores NULL, while its object is there. */
export function absentValue(column: Column): CellValue {
  const value = decodeColumn(column, null)
  if (value !== undefined || column.full) return value
  const { defaultValue } = column
  // Bytes can't be frozen.
  return defaultValue instanceof Uint8Array ? defaultValue.slice() : defaultValue
}

/** Whether a value is a plain object: what a nested object of the schema can be. */
export function isObject(value: unknown): value is RowObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

function freezeValue(value: CellValue): CellValue {
  return typeof value === 'object' ? deepFreeze(value) : value
}
