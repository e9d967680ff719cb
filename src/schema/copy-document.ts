import { setOwn } from '../changes/index.ts'
import { SchemaError } from '../errors/index.ts'

/** Objects and arrays within one another. Beyond it, SQLite's own limits and the stack would answer instead. */
const MAX_DEPTH = 128
/** Values in a document, shared ones counted each time: a cheap bound on what a few references can unfold to. */
const MAX_VALUES = 1_000_000

const HALF_SURROGATE = /\p{Surrogate}/u

/** Whether a text holds half of a surrogate pair, which no file and no database can hold. */
function isBrokenText(text: string): boolean {
  return HALF_SURROGATE.test(text)
}

/**
 * A frozen copy of a document as plain JSON: what its author does to the original later changes nothing. Members that
 * are `undefined` and symbols are left out, as JSON does. A BigInt that is the default of a 64-bit integer becomes its digits.
 *
 * Throws SchemaError, with the path, for what else is not plain JSON: functions, dates, bigints, numbers without a notation,
 * cycles, names with half a surrogate pair, more than 128 objects within one another.
 */
export function copyDocument(document: unknown): unknown {
  const open = new Set<object>()
  let values = 0

  function copy(value: unknown, place: readonly string[]): unknown {
    if (++values > MAX_VALUES)
      throw new SchemaError(place.join('.'), `the document has more than ${MAX_VALUES} values: make it smaller`)
    if (typeof value !== 'object' || value === null) return scalar(value, place)
    if (open.has(value))
      throw new SchemaError(place.join('.'), 'contains itself: a schema is plain JSON, refer to a definition with $ref')
    if (place.length > MAX_DEPTH)
      throw new SchemaError(
        place.join('.'),
        `lies more than ${MAX_DEPTH} levels deep: put parts under $defs and refer to them with $ref`,
      )
    open.add(value)
    const copied = Array.isArray(value) ? list(value, place) : object(value, place)
    open.delete(value)
    return Object.freeze(copied)
  }

  function list(value: readonly unknown[], place: readonly string[]): unknown[] {
    return Array.from(value, (one, index) => copy(one, [...place, String(index)]))
  }

  function object(value: object, place: readonly string[]): { [name: string]: unknown } {
    const tag = Object.prototype.toString.call(value)
    if (tag !== '[object Object]')
      throw new SchemaError(
        place.join('.'),
        `is not plain JSON (${tag.slice(8, -1)}): write it as text, number or object`,
      )
    const copied: { [name: string]: unknown } = {}
    for (const [name, member] of Object.entries(value)) {
      if (isBrokenText(name))
        throw new SchemaError(
          [...place, JSON.stringify(name)].join('.'),
          'the name holds half of a surrogate pair, which is no text: correct the name',
        )
      const isInt64 = name === 'default' && typeof member === 'bigint' && 'format' in value && value.format === 'int64'
      if (member !== undefined) setOwn(copied, name, isInt64 ? String(member) : copy(member, [...place, name]))
    }
    return copied
  }

  return copy(document, [])
}

function scalar(value: unknown, place: readonly string[]): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number' && Number.isFinite(value)) return value
  throw new SchemaError(
    place.join('.'),
    `is not plain JSON (${typeof value === 'number' ? String(value) : typeof value}): expected a text, number, boolean, null, array or object`,
  )
}
