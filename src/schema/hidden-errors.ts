import type { ErrorObject } from 'ajv'
import { isColumn, type Column, type ObjectNode } from './model/column.ts'
import { isSchemaObject, type Facet } from './model/facets.ts'
import { pointerSegments, type Hidden } from './validator.ts'
import type { TableModel } from './model/table-model.ts'

/** Keywords that choose between schemas by what is there: what they make of a row says nothing where a part of it is hidden. */
const CHOICES = ['anyOf', 'oneOf', 'not', 'if', 'dependentSchemas', 'dependencies']
/** Keywords about an object that nothing but what is seen of it can break. */
const SURE = ['type', 'additionalProperties', 'propertyNames', 'maxProperties']

/** Columns of a row that are hidden, as the validator takes them; `undefined` for none. */
export function hiddenColumns(columns: readonly Column[]): Hidden | undefined {
  return columns.length === 0 ? undefined : { columns, withoutErrors: withoutHiddenErrors }
}

/**
 * Of the errors of a row, those that hold whatever its hidden columns are. An object on the way to a hidden one can't be
 * judged as a whole (`required` of the hidden property, `minProperties`, `if`, `oneOf`); all else can.
 *
 * @param errors with their schemas: ajv's option `verbose`
 * @param isWrong whether the value of a column is wrong by itself
 */
function withoutHiddenErrors(
  errors: readonly ErrorObject[],
  table: TableModel,
  hidden: readonly Column[],
  isWrong: (column: Column) => boolean,
): ErrorObject[] {
  const around = (segments: readonly string[]): boolean =>
    hidden.some((column) => segments.length < column.segments.length && isWithin(column.segments, segments))
  const onTheWay = (segments: readonly string[]): boolean =>
    hidden.some((column) => isWithin(column.segments, segments))
  const choices: string[] = []
  const kept = errors.filter((error) => {
    const segments = pointerSegments(error.instancePath)
    if (!around(segments)) return true
    const missing: unknown = (error.params as Record<string, unknown>)['missingProperty']
    if (typeof missing === 'string') return !onTheWay([...segments, missing])
    if (CHOICES.includes(error.keyword)) choices.push(error.schemaPath)
    return SURE.includes(error.keyword)
  })
  if (choices.length === 0) return kept
  // What a dropped choice said of its branches goes with it: what is left must be said of the place itself. In doubt
  // the row passes: the server, which sees all of it, has judged it or will.
  return kept.filter((error) => {
    const place = placeAt(table.root, pointerSegments(error.instancePath))
    if (!isColumn(place)) return place.facets.some((facet) => isOf(error, facet))
    if (place.facets.some(({ pointer }) => error.schemaPath.startsWith(`${pointer}/`))) return true
    return isWrong(place) && !choices.some((choice) => error.schemaPath.startsWith(`${choice}/`))
  })
}

/** The column that a place is or lies in, or else the nearest object. */
function placeAt(root: ObjectNode, segments: readonly string[]): ObjectNode | Column {
  let node = root
  for (const segment of segments) {
    const child = node.properties.get(segment)
    if (!child) break
    if (isColumn(child)) return child
    node = child
  }
  return node
}

/** Whether an error is of a schema that applies to its object whatever else is there, and not of a branch of one. */
function isOf(error: ErrorObject, { schema, pointer }: Facet): boolean {
  // ajv tells the schema itself; its path would begin anew at some of the $refs.
  const stated: unknown = error.parentSchema
  if (pointer !== '#' || !isSchemaObject(stated)) return stated === schema
  // Of the outermost ajv has a copy, without $id.
  return Object.keys(stated).every((keyword) => stated[keyword] === schema[keyword])
}

function isWithin(segments: readonly string[], outer: readonly string[]): boolean {
  return outer.every((segment, n) => segment === segments[n])
}
