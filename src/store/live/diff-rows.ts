import type { LiveDiff } from '../api.ts'

type Writable<Diff> = { -readonly [Part in keyof Diff]: Diff[Part] extends readonly (infer Item)[] ? Item[] : never }

/**
 * What became of a result. `idOf` tells which row is which: no two rows of one result have the same id. The fewest rows
 * are said to have moved.
 */
export function diffRows<Row>(
  before: readonly Row[],
  after: readonly Row[],
  idOf: (row: Row) => unknown,
): LiveDiff<Row> {
  const diff: Writable<LiveDiff<Row>> = { added: [], removed: [], moved: [], changed: [] }
  let start = 0
  let endBefore = before.length
  let endAfter = after.length
  while (start < endBefore && start < endAfter && before[start] === after[start]) start++
  while (endBefore > start && endAfter > start && before[endBefore - 1] === after[endAfter - 1]) {
    endBefore--
    endAfter--
  }
  if (endBefore === endAfter && moveOne(before, after, start, endBefore, idOf, diff)) return diff

  const places = new Map<unknown, number>()
  for (let at = start; at < endBefore; at++) places.set(idOf(before[at]!), at)
  const froms: number[] = []
  const tos: number[] = []
  for (let at = start; at < endAfter; at++) {
    const row = after[at]!
    const id = idOf(row)
    const from = places.get(id)
    if (from === undefined) {
      diff.added.push({ row, index: at })
      continue
    }
    places.delete(id)
    froms.push(from)
    tos.push(at)
    if (before[from] !== row) diff.changed.push({ before: before[from]!, row, index: at })
  }
  for (const index of places.values()) diff.removed.push({ row: before[index]!, index })
  const stay = longestIncreasing(froms)
  for (const [n, from] of froms.entries())
    if (!stay.has(n)) diff.moved.push({ row: after[tos[n]!]!, from, to: tos[n]! })
  return diff
}

/** The new rows that a diff makes of the old ones. Neither is changed. */
export function applyDiff<Row>(before: readonly Row[], diff: LiveDiff<Row>): Row[] {
  const gone = new Set<number>()
  for (const { index } of diff.removed) gone.add(index)
  for (const { from } of diff.moved) gone.add(from)
  const kept = before.filter((_row, index) => !gone.has(index))
  const put = new Map<number, Row>()
  for (const { row, index } of diff.added) put.set(index, row)
  for (const { row, to } of diff.moved) put.set(to, row)
  const after: Row[] = []
  let next = 0
  while (next < kept.length || put.size > 0) {
    const row = put.get(after.length)
    if (row !== undefined) put.delete(after.length)
    else if (next === kept.length) throw new Error('this diff does not belong to these rows')
    after.push(row ?? kept[next++]!)
  }
  for (const { row, index } of diff.changed) after[index] = row
  return after
}

/** The usual case, without a map of all rows between: one row went from one end of what differs to the other. */
function moveOne<Row>(
  before: readonly Row[],
  after: readonly Row[],
  start: number,
  end: number,
  idOf: (row: Row) => unknown,
  diff: Writable<LiveDiff<Row>>,
): boolean {
  const last = end - 1
  for (const [from, to] of [
    [start, last],
    [last, start],
  ] as const) {
    if (last < start || idOf(before[from]!) !== idOf(after[to]!)) continue
    const shift = from < to ? 1 : -1
    let at = Math.min(from, to) + (shift === 1 ? 0 : 1)
    const until = Math.max(from, to) + (shift === 1 ? 0 : 1)
    while (at < until && before[at + shift] === after[at]) at++
    if (at < until) continue
    const row = after[to]!
    if (from !== to) diff.moved.push({ row, from, to })
    if (before[from] !== row) diff.changed.push({ before: before[from]!, row, index: to })
    return true
  }
  return false
}

/** The positions of a longest increasing subsequence. */
function longestIncreasing(values: readonly number[]): Set<number> {
  const ends: number[] = []
  const previous: number[] = []
  for (const [at, value] of values.entries()) {
    let low = 0
    let high = ends.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (values[ends[middle]!]! < value) low = middle + 1
      else high = middle
    }
    previous.push(low > 0 ? ends[low - 1]! : -1)
    ends[low] = at
  }
  const chosen = new Set<number>()
  for (let at = ends.at(-1) ?? -1; at >= 0; at = previous[at]!) chosen.add(at)
  return chosen
}
