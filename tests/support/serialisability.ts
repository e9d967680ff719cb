/** What one transaction did, as its author recorded it. */
export interface Recorded {
  readonly id: string
  /** When it was called and when its outcome was known, on one clock; `Infinity` for one whose outcome is not known. */
  readonly called: number
  readonly answered: number
  readonly outcome: 'committed' | 'refused' | 'unknown'
  /** What it found in each register that it read, and what it left in those that it wrote: `undefined` for nothing. */
  readonly reads: ReadonlyMap<string, unknown>
  readonly writes: ReadonlyMap<string, unknown>
}

/** One way in which a history is not strictly serialisable. */
export interface Violation {
  readonly kind: 'lost' | 'twice' | 'phantom' | 'refused' | 'read' | 'real-time'
  readonly id: string
  readonly message: string
}

/**
 * Whether a history is strictly serialisable in a given order (that of the server's log, by transaction id): whoever was
 * told "committed" is there once, nobody else is; each found exactly what those before it left; and none comes before
 * one that had been answered when it was called. Transactions that wrote nothing are not in the order: each must fit in
 * somewhere. Returns what is wrong, nothing where all is well.
 */
export function checkSerialisable(
  history: readonly Recorded[],
  order: readonly string[],
  initial: ReadonlyMap<string, unknown> = new Map(),
): Violation[] {
  const byId = new Map(history.map((one) => [one.id, one]))
  const violations: Violation[] = []
  const report = (kind: Violation['kind'], id: string, message: string): void =>
    void violations.push({ kind, id, message: `${id} ${message}` })

  const places = new Map<string, number>()
  const states: ReadonlyMap<string, unknown>[] = [initial]
  let lastCalled = { called: Number.NEGATIVE_INFINITY, id: '' }
  for (const id of order) {
    const one = byId.get(id)
    const state = states.at(-1)!
    if (!one) {
      report('phantom', id, 'was never called')
      states.push(state)
      continue
    }
    if (places.has(id)) report('twice', id, 'was applied twice')
    if (one.outcome === 'refused') report('refused', id, 'was refused and applied')
    const wrong = misread(one, state)
    if (wrong !== undefined) report('read', id, wrong)
    if (one.answered < lastCalled.called)
      report('real-time', id, `was answered before ${lastCalled.id} was called, and comes after it`)
    if (one.called > lastCalled.called) lastCalled = one
    places.set(id, states.length)
    states.push(new Map([...state, ...one.writes]))
  }
  for (const { id, outcome, writes } of history)
    if (outcome === 'committed' && writes.size > 0 && !places.has(id))
      report('lost', id, 'was confirmed and is not there')

  placeReaders(history, places, states, report)
  return violations
}

/** Each reader goes to the first place that it can be at: that leaves the most room to those that come after it. */
function placeReaders(
  history: readonly Recorded[],
  places: Map<string, number>,
  states: readonly ReadonlyMap<string, unknown>[],
  report: (kind: Violation['kind'], id: string, message: string) => void,
): void {
  const readers = history
    .filter(({ outcome, writes }) => outcome === 'committed' && writes.size === 0)
    .toSorted((a, b) => a.called - b.called)
  for (const reader of readers) {
    let from = 0
    let to = states.length - 1
    for (const other of history) {
      const place = places.get(other.id)
      if (place === undefined) continue
      if (other.answered < reader.called) from = Math.max(from, place)
      if (other.writes.size > 0 && reader.answered < other.called) to = Math.min(to, place - 1)
    }
    const fits = states.findIndex((state, at) => at >= from && at <= to && misread(reader, state) === undefined)
    if (fits >= 0) places.set(reader.id, fits)
    else if (states.some((state) => misread(reader, state) === undefined))
      report('real-time', reader.id, 'read a state of another time than its own')
    else report('read', reader.id, 'read what never was')
  }
}

function misread(one: Recorded, state: ReadonlyMap<string, unknown>): string | undefined {
  for (const [register, value] of one.reads)
    if (state.get(register) !== value)
      return `read ${String(value)} in ${register} where ${String(state.get(register))} was`
  return undefined
}
