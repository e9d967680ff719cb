import {
  formatPath,
  isCellObject,
  isIndex,
  isList,
  ownValue,
  parsePath,
  setOwn,
  type CellValue,
  type Path,
  type Segments,
} from '../changes/index.ts'
import { NotFoundError } from '../errors/index.ts'
import { isColumn, type Column, type ObjectNode } from './model/column.ts'
import { isObject } from './model/row-codec.ts'
import { shapeOf, stepInto, type Shape, type Step } from './model/shape.ts'
import type { TableModel } from './model/table-model.ts'

/** A way on into a JSON value: the segments, and what each of them is. */
export interface Inner {
  readonly inner: readonly string[]
  readonly steps: readonly Step[]
}

/**
 * Where a property path leads: to a column, to a place within a JSON column (`inner` is the rest of the path), to a
 * nested object, or to a property that the schema does not declare (`member`) or a place within it.
 */
export type Place =
  | ({
      readonly kind: 'column'
      readonly column: Column
      readonly path: string
      readonly segments: readonly string[]
    } & Inner)
  | { readonly kind: 'object'; readonly node: ObjectNode; readonly path: string; readonly segments: readonly string[] }
  | ({
      readonly kind: 'undeclared'
      readonly member: readonly string[]
      readonly path: string
      readonly segments: readonly string[]
    } & Inner)

/** SQLite takes JSON to this depth, so that nothing lies deeper. */
const MAX_INNER = 1000

const known = new WeakMap<TableModel, Map<string, Place>>()

/**
 * Finds a place. What a segment is, its schema says: an array has indexes ('0', '1', '12'), an object names, '01' among
 * them; where both may lie, an index is one of the array or a name of the object that is there, and all else a name.
 *
 * Throws NotFoundError for a path that the table can't have.
 */
export function placeOf(table: TableModel, path: Path): Place {
  if (typeof path !== 'string' && !Array.isArray(path))
    throw new NotFoundError(`${table.name}: a property path is a string or an array of segments, not ${String(path)}`)
  if (typeof path !== 'string') return findPlace(table, parsePath(path).map(String))
  let places = known.get(table)
  if (!places) known.set(table, (places = new Map<string, Place>()))
  let place = places.get(path)
  if (!place) {
    place = findPlace(table, parsePath(path).map(String))
    if (places.size < 10_000) places.set(path, place)
  }
  return place
}

function findPlace(table: TableModel, segments: readonly string[]): Place {
  const path = formatPath(segments)
  let node = table.root
  for (const [depth, segment] of segments.entries()) {
    const child = node.properties.get(segment)
    if (!child) {
      if (!table.rest) throw new NotFoundError(`${table.name} has no property '${path}'`)
      const member = segments.slice(0, depth + 1)
      const [step, inner] = follow(table, shapeOf(node.facets), segments, depth)
      if (step !== 'name') throw new NotFoundError(`${table.name} has no property '${path}'`)
      return { kind: 'undeclared', member, segments, path, ...innerOf(table, inner, segments, depth + 1) }
    }
    if (isColumn(child)) {
      if (segments.length > depth + 1 && child.kind !== 'json')
        throw new NotFoundError(`${table.name} has no property '${path}': '${child.path}' is ${child.kind}`)
      return {
        kind: 'column',
        column: child,
        segments,
        path,
        ...innerOf(table, shapeOf(child.facets), segments, depth + 1),
      }
    }
    node = child
  }
  return { kind: 'object', node, segments, path }
}

function innerOf(table: TableModel, shape: Shape, segments: readonly string[], depth: number): Inner {
  const inner = segments.slice(depth)
  if (inner.length > MAX_INNER)
    throw new NotFoundError(
      `${table.name} has no property so deep: a path leads at most ${MAX_INNER} segments into a JSON value, not ${inner.length}`,
    )
  const steps: Step[] = []
  let at = shape
  for (let n = depth; n < segments.length; n++) {
    const [step, next] = follow(table, at, segments, n)
    steps.push(step)
    at = next
  }
  return { inner, steps }
}

function follow(
  table: TableModel,
  shape: Shape,
  segments: readonly string[],
  depth: number,
): [step: Step, inner: Shape] {
  const found = stepInto(table.schema, shape, segments[depth]!)
  if (typeof found !== 'string') return found
  const path = formatPath(segments)
  const around = formatPath(segments.slice(0, depth))
  const segment = segments[depth]!
  const why = {
    'no container': `'${around}' is neither an object nor an array`,
    'no index': `'${around}' is an array, and '${segment}' is no index of it: write 0, 1, 2 …, without sign, zeros before it, fraction or exponent`,
    'no property': `the schema allows no '${segment}' in '${around}'`,
  }[found]
  throw new NotFoundError(`${table.name} has no property '${path}': ${why}`)
}

/** The value at a path of a row, arrays and free-form objects included. `undefined` where there is nothing. */
export function readPath(row: CellValue, segments: Segments): CellValue {
  let value = row
  for (const segment of segments) {
    const name = String(segment)
    if (isList(value)) value = isIndex(name) ? value[Number(name)] : undefined
    else if (isCellObject(value)) value = ownValue(value, name)
    else return undefined
  }
  return value
}

/**
 * A value with the one at a path replaced (removed, for `undefined`); what is not on the way is shared. Objects on the
 * way are made where they are missing. Throws NotFoundError for an index beyond an array's end.
 */
export function replaceAt(
  value: CellValue,
  segments: readonly string[],
  depth: number,
  next: CellValue,
  path: string,
): CellValue {
  if (depth === segments.length) return next
  const segment = segments[depth]!
  // What is not there needs no removing, and nothing on the way to it.
  if (next === undefined && readPath(value, [segment]) === undefined) return value
  if (Array.isArray(value)) {
    const list = value as readonly CellValue[]
    const index = Number(segment)
    if (!isIndex(segment) || index > list.length)
      throw new NotFoundError(
        `there is no '${segment}' in the array of ${list.length} at '${formatPath(segments.slice(0, depth))}' (path '${path}')`,
      )
    const copy = [...list]
    if (next === undefined && depth === segments.length - 1) copy.splice(index, 1)
    else copy[index] = replaceAt(list[index], segments, depth + 1, next, path)
    return copy
  }
  if (value !== undefined && value !== null && !isObject(value))
    throw new NotFoundError(
      `there is nothing to set at '${path}': '${formatPath(segments.slice(0, depth))}' is no object`,
    )
  const copy: Record<string, CellValue> = { ...value }
  const inner = replaceAt(Object.hasOwn(copy, segment) ? copy[segment] : undefined, segments, depth + 1, next, path)
  if (inner === undefined) delete copy[segment]
  else setOwn(copy, segment, inner)
  return copy
}

/** A row with a deep partial one laid over it: objects merge, everything else replaces, `undefined` removes. */
export function mergePatch(row: CellValue, patch: CellValue): CellValue {
  if (!isObject(patch)) return patch
  const merged: Record<string, CellValue> = isObject(row) ? { ...row } : {}
  for (const name of Object.keys(patch)) {
    const value = patch[name]
    if (value === undefined) delete merged[name]
    else setOwn(merged, name, mergePatch(Object.hasOwn(merged, name) ? merged[name] : undefined, value))
  }
  return merged
}
