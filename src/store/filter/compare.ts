import type { SqlValue } from '../../drivers/index.ts'

/** The value as SQLite holds it: booleans as 1 and 0, absent and NaN as NULL, arrays and objects as JSON text. */
export function toSqlValue(value: unknown): SqlValue {
  switch (typeof value) {
    case 'string':
    case 'bigint':
      return value
    case 'number':
      return Number.isNaN(value) ? null : value
    case 'boolean':
      return value ? 1 : 0
    case 'object':
      if (value === null || value instanceof Uint8Array) return value
      return JSON.stringify(value)
    default:
      return null
  }
}

/**
 * SQLite's order of any two values: null, then numbers, then text by code point, then bytes. Numbers and bigints are
 * compared exactly. Negative where `a` comes first, 0 where they are equal.
 */
export function compareSql(a: SqlValue, b: SqlValue): number {
  if (typeof a === 'string') {
    if (typeof b === 'string') return compareText(a, b)
  } else if (isNumeric(a)) {
    if (isNumeric(b)) return a < b ? -1 : a > b ? 1 : 0
  } else if (a !== null && b instanceof Uint8Array) {
    return compareBytes(a, b)
  }
  return storageClass(a) - storageClass(b)
}

/**
 * The order of two texts by code point, which is SQLite's (BINARY, UTF-8) and not JavaScript's: `'\uFFFD' < '😀'`. Half
 * of a surrogate pair counts as the code point that it is.
 */
export function compareText(a: string, b: string): number {
  if (a === b) return 0
  const shared = Math.min(a.length, b.length)
  let at = 0
  while (at < shared && a.charCodeAt(at) === b.charCodeAt(at)) at++
  if (at === shared) return a.length - b.length
  const x = a.charCodeAt(at)
  const y = b.charCodeAt(at)
  // UTF-16 and code points order differently only from the surrogates on.
  if (x < 0xd800 || y < 0xd800) return x - y
  if (at > 0 && isHighSurrogate(a.charCodeAt(at - 1))) {
    const xPairs = isLowSurrogate(x)
    const yPairs = isLowSurrogate(y)
    if (xPairs !== yPairs) return xPairs ? 1 : -1
    if (xPairs) return x - y
  }
  return (a.codePointAt(at) ?? x) - (b.codePointAt(at) ?? y)
}

/** The order of two byte strings: byte by byte, then the shorter first. */
function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length)
  for (let at = 0; at < shared; at++) {
    const difference = (a[at] ?? 0) - (b[at] ?? 0)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

function isNumeric(value: SqlValue): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint'
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff
}

function storageClass(value: SqlValue): number {
  if (value === null) return 0
  if (isNumeric(value)) return 1
  return typeof value === 'string' ? 2 : 3
}
