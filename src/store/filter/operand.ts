import type { FieldKind, FilterField } from './field.ts'
import { FilterError } from './filter-error.ts'
import type { Operand } from './filter-node.ts'

const EXPECTED: { readonly [K in FieldKind]: string } = {
  text: 'a text',
  number: 'a number',
  boolean: 'true or false',
  bigint: 'a BigInt or a number',
  binary: 'a Uint8Array',
  any: 'a text, a number, true or false',
  json: 'nothing but null',
}

/** Checks a value that a field is compared with, and puts it in SQLite's terms. Throws FilterError. */
export function readOperand(field: FilterField, operator: string, value: unknown): Operand {
  const refuse = (why: string): FilterError =>
    new FilterError(field.path, `'${field.path}': ${operator} was given ${describeValue(value)}, ${why}`)
  if (!fits(field.kind, value)) {
    throw refuse(
      value === undefined
        ? 'which is no value: leave it out, or use null for "null or absent"'
        : field.kind === 'json'
          ? 'but this is an array or object as a whole, of which can be asked only isNull, eq: null and ne: null'
          : `where ${EXPECTED[field.kind]} is expected`,
    )
  }
  switch (typeof value) {
    case 'boolean':
      return value ? 1 : 0
    case 'number':
      if (!Number.isFinite(value)) throw refuse('where a finite number is expected')
      return value + 0 // -0 becomes 0
    case 'bigint':
      if (BigInt.asIntN(64, value) !== value) throw refuse('which does not fit into 64 bits')
      return value
    case 'string':
      if (value.includes('\0')) throw refuse('which contains the character NUL, as no stored text does')
      if (!value.isWellFormed()) throw refuse('which contains half of a surrogate pair, as no stored text does')
      return value
    default:
      // The filter outlives the call, and the caller may go on writing to its buffer.
      return value.slice()
  }
}

/** Checks what a text operator is given. Throws FilterError, also where the field holds no text. */
export function readTextOperand(field: FilterField, operator: string, value: unknown): string {
  if (field.kind !== 'text' && field.kind !== 'any') {
    throw new FilterError(
      field.path,
      `'${field.path}': ${operator} works on text, and this is ${field.kind === 'json' ? 'an array or object' : `a ${field.kind}`}`,
    )
  }
  if (typeof value !== 'string') {
    throw new FilterError(
      field.path,
      `'${field.path}': ${operator} was given ${describeValue(value)}, where a text is expected`,
    )
  }
  return readOperand(field, operator, value) as string
}

/** A value as messages show it, shortened. */
export function describeValue(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)
  if (typeof value === 'bigint') return `${value}n`
  if (Array.isArray(value)) return 'an array'
  if (value instanceof Uint8Array) return 'a Uint8Array'
  if (typeof value === 'object' && value !== null) return 'an object'
  return typeof value === 'function' || typeof value === 'symbol' ? `a ${typeof value}` : String(value)
}

function fits(kind: FieldKind, value: unknown): value is string | number | bigint | boolean | Uint8Array {
  switch (kind) {
    case 'text':
      return typeof value === 'string'
    case 'boolean':
      return typeof value === 'boolean'
    case 'number':
    case 'bigint':
      return typeof value === 'number' || typeof value === 'bigint'
    case 'binary':
      return value instanceof Uint8Array
    case 'any':
      return (
        typeof value === 'string' ||
        typeof value === 'number' ||
        typeof value === 'bigint' ||
        typeof value === 'boolean' ||
        value instanceof Uint8Array
      )
    case 'json':
      return false
  }
}
