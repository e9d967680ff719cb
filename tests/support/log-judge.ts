/** One log of a database: another one where it was deleted and made again. */
interface Known {
  readonly id: string
  readonly database: string
  /** Before this nobody can have made it. */
  readonly notMadeBefore: number
  readonly entries: Map<number, string>
  /** It begins and ends there or later. */
  first: number
  last: number
  /** The last number that anyone has asked to trim before. */
  trimmed: number
  isGone: boolean
}

interface Asked {
  readonly log: string
  readonly expected: number
  readonly payloads: readonly string[]
  state: 'open' | 'acknowledged' | 'refused'
}

interface Span {
  readonly start: number
  end: number
}

/** What was known of a log when something was asked of it. */
export interface Before {
  readonly log: Known
  readonly first: number
  readonly last: number
  readonly isGone: boolean
}

/** What a map has for a key; made where there is nothing. */
function computed<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const known = map.get(key) ?? make()
  map.set(key, known)
  return known
}

function holds(condition: boolean, otherwise: string): asserts condition {
  if (!condition) throw new Error(otherwise)
}

/**
 * Judges what logs of databases have told, in the order in which it was: whether it could come from one log that does
 * one thing after the other. What begins after something was told must know of it.
 */
export class LogJudge {
  #time = 0
  readonly #logs = new Map<string, Known>()
  readonly #asked = new Map<string, Asked>()
  readonly #makings = new Map<string, Set<Span>>()
  readonly #deletions = new Map<string, Span[]>()
  readonly #owners = new Map<string, string>()
  acknowledged = 0

  /** The owner of an epoch of a shard, as one node sees it. */
  owner(shard: number, epoch: number, node: string): void {
    const key = `${shard}/${epoch}`
    const known = this.#owners.get(key) ?? node
    this.#owners.set(key, node)
    holds(known === node, `epoch ${epoch} of shard ${shard} is ${known}'s and ${node}'s`)
  }

  /** Something begins that may make a log. What it gives is to be called with what is opened. */
  opening(database: string, create: boolean): { opened(id: string): void; missing(): void } {
    const span: Span = { start: this.#time++, end: Infinity }
    const makings = computed(this.#makings, database, () => new Set<Span>())
    if (create) makings.add(span)
    const before = this.#of(database).map((log) => this.before(log.id))
    return {
      opened: (id) => {
        const notMadeBefore = Math.min(span.start, ...[...makings].map(({ start }) => start))
        makings.delete(span)
        const log = computed<string, Known>(this.#logs, id, () => ({
          id,
          database,
          notMadeBefore,
          entries: new Map(),
          first: 1,
          last: 0,
          trimmed: 1,
          isGone: false,
        }))
        holds(!before.some((one) => one.log === log && one.isGone), `${database} was opened although it was deleted`)
        for (const other of this.#of(database)) {
          if (other === log || !before.some((one) => one.log === other)) continue
          this.#gone(other, 'another one was opened')
        }
      },
      missing: () => {
        holds(!create, `${database} was to be made, and is not there`)
        for (const { log } of before) this.#gone(log, 'it was not found')
      },
    }
  }

  deleting(database: string): { deleted(): void } {
    const span: Span = { start: this.#time++, end: Infinity }
    computed(this.#deletions, database, (): Span[] => []).push(span)
    const before = this.#of(database)
    return {
      deleted: () => {
        span.end = this.#time++
        for (const log of before) log.isGone = true
      },
    }
  }

  before(id: string): Before {
    const log = this.#logs.get(id)!
    const { first, last, isGone } = log
    return { log, first, last, isGone }
  }

  appending(id: string, payloads: readonly string[], expected: number): void {
    this.#time++
    for (const [n, payload] of payloads.entries())
      this.#asked.set(payload, { log: id, expected: expected + n, payloads, state: 'open' })
  }

  appended(before: Before, payloads: readonly string[], expected: number): void {
    const { log } = before
    this.#alive(before, 'an append')
    holds(expected >= before.last, `${log.database} took an append after ${expected} when it had ${before.last}`)
    for (const [n, payload] of payloads.entries()) {
      this.#asked.get(payload)!.state = 'acknowledged'
      this.#entry(log, expected + 1 + n, payload)
    }
    log.last = Math.max(log.last, expected + payloads.length)
    this.acknowledged++
  }

  refused(before: Before, payloads: readonly string[], last: number): void {
    const { log } = before
    this.#alive(before, 'a conflict')
    this.#notThere(payloads)
    holds(last >= before.last, `an append to ${log.database} was refused as after ${last} when it had ${before.last}`)
  }

  /** A log was told to be gone. */
  missed({ log }: Before): void {
    this.#gone(log, 'it was told so')
  }

  /** An append was certainly not done. */
  notAppended(payloads: readonly string[]): void {
    this.#notThere(payloads)
  }

  bounds(before: Before, { first, last }: { readonly first: number; readonly last: number }): void {
    const { log } = before
    this.#alive(before, 'bounds')
    holds(last >= before.last, `${log.database} was told to end at ${last} when it had ${before.last}`)
    holds(first >= before.first, `${log.database} was told to begin at ${first} when it did at ${before.first}`)
    holds(first <= log.trimmed && first <= last + 1, `${log.database} was told to begin at ${first}`)
    log.first = Math.max(log.first, first)
    log.last = Math.max(log.last, last)
  }

  read(before: Before, from: number, payloads: readonly string[]): void {
    const { log } = before
    this.#alive(before, 'a read')
    const last = from + payloads.length - 1
    holds(from >= before.first, `${log.database} was read from ${from} when it began at ${before.first}`)
    holds(last >= Math.max(before.last, from - 1), `${log.database} was read to ${last} when it had ${before.last}`)
    for (const [n, payload] of payloads.entries()) this.#entry(log, from + n, payload)
    if (payloads.length > 0) log.last = Math.max(log.last, last)
  }

  /** An entry was told to be trimmed. */
  trimmedAt({ log }: Before, from: number): boolean {
    return from < log.trimmed
  }

  trimming(id: string, number: number): void {
    const log = this.#logs.get(id)!
    log.trimmed = Math.max(log.trimmed, number)
  }

  trimmed(before: Before, number: number): void {
    this.#alive(before, 'a trim')
    before.log.first = Math.max(before.log.first, Math.min(number, before.last + 1))
  }

  /** All or nothing of each append is there. To be called when everything was read. */
  finish(): void {
    for (const { log, expected, payloads } of this.#asked.values()) {
      const { entries, first, isGone } = this.#logs.get(log)!
      if (isGone || expected + 1 < first) continue
      const there = payloads.filter((payload) => [...entries.values()].includes(payload))
      const isWhole = there.length === 0 || there.length === payloads.length
      holds(isWhole || first > 1, `of ${payloads.join()} only ${there.join()} is there`)
    }
  }

  #of(database: string): Known[] {
    return [...this.#logs.values()].filter((log) => log.database === database)
  }

  #alive({ log, isGone }: Before, what: string): void {
    holds(!isGone, `${log.database} answered ${what} although it was deleted`)
  }

  /** A log is told to be gone: someone must have deleted it. */
  #gone(log: Known, why: string): void {
    const { database, notMadeBefore } = log
    const deletions = this.#deletions.get(database) ?? []
    holds(
      deletions.some(({ end }) => end >= notMadeBefore),
      `${database} is gone (${why}) and nobody has deleted it`,
    )
    log.isGone = true
  }

  #notThere(payloads: readonly string[]): void {
    for (const payload of payloads) {
      const asked = this.#asked.get(payload)!
      asked.state = 'refused'
      const { entries, database } = this.#logs.get(asked.log)!
      holds(![...entries.values()].includes(payload), `${payload} is in ${database} although it was refused`)
    }
  }

  #entry(log: Known, sequence: number, payload: string): void {
    const asked = this.#asked.get(payload)
    holds(asked !== undefined, `${payload} in ${log.database} was never appended`)
    holds(asked.state !== 'refused', `${payload} is in ${log.database} although it was refused`)
    holds(
      asked.log === log.id && asked.expected + 1 === sequence,
      `${payload} is entry ${sequence} of ${log.database}, it was to be ${asked.expected + 1}`,
    )
    const known = log.entries.get(sequence) ?? payload
    log.entries.set(sequence, payload)
    holds(known === payload, `entry ${sequence} of ${log.database} is ${known} and ${payload}`)
  }
}
