import type { Key } from './change-set.ts'

/** A primary key in a form that `Map` and `===` compare: equal for equal keys, and for no others. */
export type KeyId = string | number | bigint | boolean

/**
 * What a key is known by in a `Map`. Primitive keys are their own ids (`1`, `'1'` and `1n` are three keys), arrays
 * become a text. Texts that start with U+0000 are set apart by a prefix, so that no string is taken for an array.
 */
export function keyId(key: Key): KeyId {
  if (typeof key === 'string') return key.charCodeAt(0) === 0 ? `\0"${key}` : key
  if (typeof key === 'object') return `\0[${key.map(memberText).join(',')}`
  return key
}

/** What a row is known by in a `Map` or `Set`, whatever its table. */
export function rowIdOf({ table, key }: { readonly table: string; readonly key: Key }): string {
  return `${table}\0${String(keyId(key))}`
}

/** Whether two keys are the same. */
export function equalKeys(a: Key, b: Key): boolean {
  return a === b || keyId(a) === keyId(b)
}

/** A key as messages show it: `"roads"`, `7`, `["scene",3]`. */
export function describeKey(key: Key): string {
  return typeof key === 'object' ? `[${key.map(memberText).join(',')}]` : memberText(key)
}

function memberText(member: string | number | bigint | boolean): string {
  if (typeof member === 'string') return JSON.stringify(member)
  return typeof member === 'bigint' ? `${member}n` : String(member)
}
