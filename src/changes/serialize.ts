import { RowcastError } from '../errors/index.ts'
import { isPlainObject } from './cell-kind.ts'
import type { Cells, ChangeSet, Key, Origin, RowChange } from './change-set.ts'
import { parseValue, serializeValue } from './serialize-value.ts'

/**
 * A ChangeSet as JSON text that `parseChangeSet` reads back exactly, in the form of `serializeValue`.
 * @throws RowcastError (`serialize`) if the tag or a cell holds what is no `CellValue`: a function, a date, a map.
 */
export function serializeChangeSet(set: ChangeSet): string {
  return serializeValue(set)
}

/**
 * Reads what `serializeChangeSet` wrote.
 * @throws RowcastError (`serialize`) for a text that is no ChangeSet. Fields that no ChangeSet has are left alone.
 */
export function parseChangeSet(text: string): ChangeSet {
  const set: unknown = parseValue(text)
  assertChangeSet(set)
  return set
}

const ORIGINS: { readonly [Name in Origin]: true } = {
  local: true,
  remote: true,
  undo: true,
  redo: true,
  cancel: true,
  rebase: true,
  import: true,
}

function assertChangeSet(set: unknown): asserts set is ChangeSet {
  if (!isPlainObject(set)) throw unreadable('not an object')
  const { changes, origin, label, draftId, transactionId } = set
  if (typeof origin !== 'string' || !Object.hasOwn(ORIGINS, origin)) throw unreadable("no known 'origin'")
  for (const text of [label, draftId, transactionId]) {
    if (text !== undefined && typeof text !== 'string') throw unreadable("'label' or an id is not a string")
  }
  if (!Array.isArray(changes)) throw unreadable("'changes' is not an array")
  changes.forEach((change: unknown, index) => {
    if (!isRowChange(change)) throw unreadable(`'changes.${index}' is no row change`)
  })
}

function isRowChange(change: unknown): change is RowChange {
  if (!isPlainObject(change)) return false
  const { table, key, op, before, after } = change
  if (typeof table !== 'string' || !isKey(key) || !isCells(before) || !isCells(after)) return false
  return op === 'insert' || op === 'update' || op === 'delete'
}

function isKey(key: unknown): key is Key {
  return Array.isArray(key) ? key.every(isKeyMember) : isKeyMember(key)
}

function isKeyMember(member: unknown): boolean {
  return ['string', 'number', 'bigint', 'boolean'].includes(typeof member)
}

function isCells(cells: unknown): cells is Cells {
  return isPlainObject(cells)
}
function unreadable(why: string): RowcastError {
  return new RowcastError('serialize', `the text can't be read as a ChangeSet: ${why}`)
}
