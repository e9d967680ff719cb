import type { Cells, RowChange } from 'rowcast'
import { DEFAULTS, isWithoutObject, seenCells, TABLES, type PlainState, type TableId } from './pin-rows.ts'

/** The store broke one of its promises. */
export class Broken extends Error {}

export const show = (value: unknown): string =>
  JSON.stringify(value, (_key, member: unknown) => (member === undefined ? '∅' : member)) ?? '∅'

/** A state after changes, each of which must fit what it finds. */
export function replay(what: string, state: PlainState, changes: readonly RowChange[]): PlainState {
  const tables = { board: new Map(state.board), pin: new Map(state.pin) }
  for (const change of changes) {
    const table = change.table as TableId
    const rows = tables[table]
    const key = String(change.key)
    const now = rows.get(key)
    const misfit = misfitOf(change, now)
    if (misfit) throw new Broken(`${what}: ${misfit}: ${show(change)} meets ${show(now)}`)
    if (change.op === 'delete') rows.delete(key)
    else rows.set(key, seenCells(table, { ...now, ...change.after }))
  }
  return tables
}

function misfitOf({ table, op, before, after }: RowChange, now: Cells | undefined): string | undefined {
  if (op === 'insert') return now && 'the row is there already'
  if (!now) return 'there is no such row'
  if (op === 'delete') return show(seenCells(table as TableId, before)) === show(now) ? undefined : 'another row goes'
  if (show(Object.keys(before).toSorted()) !== show(Object.keys(after).toSorted())) return 'before and after differ'
  const odd = Object.entries(before).find(([path, value]) =>
    isWithoutObject(path, now)
      ? value !== undefined && value !== DEFAULTS[path]
      : show(value ?? DEFAULTS[path]) !== show(now[path]),
  )
  return odd && `${odd[0]} was not so before`
}

/** Throws where two states are not the same, naming the rows. */
export function agree(what: string, actual: PlainState, expected: PlainState): void {
  const differences = TABLES.flatMap((table) =>
    [...new Set([...actual[table].keys(), ...expected[table].keys()])]
      .filter((key) => show(actual[table].get(key)) !== show(expected[table].get(key)))
      .map((key) => `${table} ${key} is ${show(actual[table].get(key))}, must be ${show(expected[table].get(key))}`),
  )
  if (differences.length > 0) throw new Broken(`${what}: ${differences.join('; ')}`)
}
