import { RowcastError } from '../errors/index.ts'
import { fromBase64, toBase64 } from './base64.ts'
import { isBytes, isCellObject, isList, isPlainObject, setOwn } from './cell-kind.ts'
import type { CellValue } from './change-set.ts'
import { HIDDEN } from './hidden.ts'

/**
 * A value as JSON text that `parseValue` reads back exactly. What JSON has no form for is an object of one property:
 * `{"$bigint":"7"}`, `{"$bytes":"<base64>"}`, `{"$number":"NaN"}` (also ±Infinity and -0), `{"$undefined":true}` and, for `HIDDEN`,
 * `{"$hidden":true}`. In
 * all other objects a key that starts with `$` is written with one more `$`.
 * @throws RowcastError (`serialize`) for what is no `CellValue`: a function, a date, a map.
 */
export function serializeValue(value: unknown): string {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return JSON.stringify(value)
  if (typeof value === 'number') {
    return Number.isFinite(value) && !Object.is(value, -0) ? String(value) : `{"$number":"${numberText(value)}"}`
  }
  if (typeof value === 'bigint') return `{"$bigint":"${value}"}`
  if (value === undefined) return '{"$undefined":true}'
  if (value === HIDDEN) return '{"$hidden":true}'
  if (isUint8Array(value)) return `{"$bytes":"${toBase64(value)}"}`
  if (Array.isArray(value)) return `[${Array.from(value, serializeValue).join(',')}]`
  if (isPlainObject(value)) {
    return `{${Object.entries(value).map(memberText).join(',')}}`
  }
  const kind = typeof value === 'object' ? (value.constructor?.name ?? 'object') : typeof value
  throw new RowcastError('serialize', `a ${kind} can't be serialised: values are JSON, bigint or Uint8Array`)
}

/**
 * Reads what `serializeValue` wrote.
 * @throws RowcastError (`serialize`) for any other text.
 */
export function parseValue(text: string): CellValue {
  let json: CellValue
  try {
    json = JSON.parse(text) as CellValue
  } catch (cause) {
    throw new RowcastError('serialize', `the text is not JSON: ${String(cause)}`, { cause })
  }
  return decodeValue(json)
}

/**
 * What a value of plain JSON in the form of `serializeValue` stands for.
 * @throws RowcastError (`serialize`) for a tag that there isn't.
 */
export function decodeValue(value: CellValue): CellValue {
  if (isList(value)) return value.map(decodeValue)
  if (!isCellObject(value) || value === HIDDEN) return value
  const keys = Object.keys(value)
  const tag = keys.length === 1 ? keys[0] : undefined
  if (tag?.startsWith('$') && !tag.startsWith('$$')) return readTagged(tag, value[tag])
  const object: { [key: string]: CellValue } = {}
  for (const key of keys) setOwn(object, unescapeKey(key), decodeValue(value[key]))
  return object
}

function readTagged(tag: string, text: CellValue): CellValue {
  if (tag === '$undefined') return undefined
  if (tag === '$hidden') return HIDDEN
  if (typeof text === 'string') {
    if (tag === '$bigint' && /^-?\d{1,40}$/.test(text)) return BigInt(text)
    if (tag === '$number' && /^(NaN|-?Infinity|-0)$/.test(text)) return Number(text)
    if (tag === '$bytes') return bytesOf(text)
  }
  throw unknownTag(tag)
}

function memberText([key, member]: [string, unknown]): string {
  return `${JSON.stringify(escapeKey(key))}:${serializeValue(member)}`
}

function escapeKey(key: string): string {
  return key.startsWith('$') ? `$${key}` : key
}

function unescapeKey(key: string): string {
  if (!key.startsWith('$')) return key
  if (!key.startsWith('$$')) throw unknownTag(key)
  return key.slice(1)
}

function unknownTag(tag: string, cause?: unknown): RowcastError {
  return new RowcastError('serialize', `'${tag}' is no tag of a serialised value, or not with what it holds`, { cause })
}

function isUint8Array(value: unknown): value is Uint8Array {
  return isBytes(value) && Object.prototype.toString.call(value) === '[object Uint8Array]'
}

function numberText(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value)
}

function bytesOf(text: string): Uint8Array {
  try {
    return fromBase64(text)
  } catch (cause) {
    throw unknownTag('$bytes', cause)
  }
}
