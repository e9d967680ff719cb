import { formatPath, parsePath, setOwn, type CellValue } from '../../changes/index.ts'
import { MigrationError } from '../../errors/index.ts'
import type { Column } from '../model/column.ts'
import { isColumn } from '../model/column.ts'
import { isObject } from '../model/row-codec.ts'
import type { TableModel } from '../model/table-model.ts'
import type { TableInput } from '../types/index.ts'
import { declares, locate } from './locate.ts'

/** A property that has another path in the new schema. */
export interface Move {
  readonly from: readonly string[]
  readonly to: readonly string[]
}

type Mutable = Record<string, CellValue>

/**
 * The declared renames that a database of the old schema has not behind it yet, those of inner paths first. Throws
 * MigrationError where the old schema has both properties.
 */
export function movesBetween(before: TableModel, after: TableModel, input: TableInput): Move[] {
  const moves: Move[] = []
  for (const [path, sources] of Object.entries(input.renames ?? {})) {
    const to = parsePath(path).map(String)
    const from = [sources]
      .flat()
      .map((source) => parsePath(source).map(String))
      .find((source) => declares(before.root, source))
    if (!from) continue
    if (declares(before.root, to))
      throw new MigrationError(
        `table '${after.name}' has both '${formatPath(from)}' and '${path}', so the one can't be renamed to the other: ` +
          'take the rename out and move the data in a function in `migrations`',
      )
    moves.push({ from, to })
  }
  return moves.toSorted((a, b) => b.from.length - a.from.length)
}

/** Moves the values of a row, which is changed. */
export function moveProperties(row: Mutable, moves: readonly Move[], after: TableModel): void {
  const taken = moves.map((move) => ({ ...move, value: take(row, move.from, after) }))
  for (const { to, value } of taken.toSorted((a, b) => a.to.length - b.to.length))
    if (value !== undefined) put(row, to, value)
}

/** The path that a property of the old schema has in the new one. */
export function movedPath(segments: readonly string[], moves: readonly Move[]): readonly string[] {
  const move = moves.find(({ from }) => from.every((segment, index) => segments[index] === segment))
  return move ? [...move.to, ...segments.slice(move.from.length)] : segments
}

/**
 * The columns whose default must now be written out, because the new schema has the property and no default for it: the
 * values that everyone read stay.
 */
export function keptDefaults(before: TableModel, after: TableModel, moves: readonly Move[]): ReadonlySet<Column> {
  const kept = new Set<Column>()
  for (const column of before.columns) {
    if (column.defaultValue === undefined || column.hidden) continue
    const found = locate(after.root, movedPath(column.segments, moves))
    if (found && (found.inside || !isColumn(found.node) || found.node.defaultValue === undefined)) kept.add(column)
  }
  return kept
}

function take(row: Mutable, from: readonly string[], after: TableModel): CellValue {
  const chain = [row]
  for (const segment of from.slice(0, -1)) {
    const holder = chain.at(-1)!
    const inner = Object.hasOwn(holder, segment) ? holder[segment] : undefined
    if (!isObject(inner)) return undefined
    chain.push(inner)
  }
  const name = from.at(-1)!
  const holder = chain.at(-1)!
  const value = Object.hasOwn(holder, name) ? holder[name] : undefined
  delete holder[name]
  // An object that is left empty, and that the new schema knows nothing of, was only there for what moved.
  for (let depth = chain.length - 1; depth > 0; depth--) {
    if (value === undefined || Object.keys(chain[depth]!).length > 0 || declares(after.root, from.slice(0, depth)))
      break
    delete chain[depth - 1]![from[depth - 1]!]
  }
  return value
}

function put(row: Mutable, to: readonly string[], value: CellValue): void {
  let holder = row
  for (const segment of to.slice(0, -1)) {
    const inner = Object.hasOwn(holder, segment) ? holder[segment] : undefined
    if (isObject(inner)) holder = inner
    else {
      const made: Mutable = {}
      setOwn(holder, segment, made)
      holder = made
    }
  }
  setOwn(holder, to.at(-1)!, value)
}
