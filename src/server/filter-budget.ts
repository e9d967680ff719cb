import { RowcastError } from '../errors/index.ts'
import { addPrices, FREE, internals, priceWhere, type FilterPrice, type Store } from '../store/index.ts'
import type { WireSet } from '../transport/index.ts'

/** What the filters of one subscription may come to. All subscriptions of a connection together may come to four times that. */
export interface FilterLimits {
  /** Conditions, and what joins them; a set is one more. 1,000 if not given. */
  readonly conditions: number
  /**
   * Texts that are read to their end for each row: one for each `like`, `contains` and condition on a place in JSON; in a
   * `like` one for each 32 characters between two `%` where there are `_` among them. 64 if not given.
   */
  readonly readings: number
  /** Values to compare with, those of `in` among them. 20,000 if not given. */
  readonly values: number
  /** Characters of all these values. 1,000,000 if not given. */
  readonly characters: number
  /**
   * Conditions × rows of their tables, and for each reading a sixteenth of the database's bytes, as the subscription
   * begins. A million take about 30 ms. 100,000,000 if not given.
   */
  readonly steps: number
}

export const FILTER_LIMITS: FilterLimits = {
  conditions: 1_000,
  readings: 64,
  values: 20_000,
  characters: 1_000_000,
  steps: 100_000_000,
}

/** How many subscriptions at their limits one connection has room for. */
const TOGETHER = 4
/** Objects and lists that a condition is written with, at most, but for those that say nothing. */
const OBJECTS_OF_A_CONDITION = 4
/** Bytes that are read in the time of a condition. */
const BYTES_OF_A_STEP = 16

const COUNTED: { readonly [Part in keyof FilterLimits]: string } = {
  conditions: 'conditions',
  readings: 'texts to read for each row',
  values: 'values',
  characters: 'characters of values',
  steps: 'steps over all rows',
}

/** Filters that would take too much of the server's time or memory: they were not run. */
export class TooDearError extends RowcastError<'too-large'> {
  override readonly name: string = 'TooDearError'
  constructor(message: string) {
    super('too-large', message)
  }
}

/** Lists and objects that a subscription's message is written with, at most, where it is not too dear for certain. */
export function mostContainersOf({ conditions, values }: FilterLimits): number {
  // The message, the subscription and its list; the sets; what they ask for, with values that are written as objects.
  return 3 + conditions + conditions * OBJECTS_OF_A_CONDITION + values
}

/** What is said of filters that were not even read. */
export function unreadablyDear({ conditions, values }: FilterLimits): TooDearError {
  return new TooDearError(
    `the filters of this subscription have more than ${conditions} conditions or ${values} values: ask for less`,
  )
}

/** What the filters of one connection's subscriptions come to. */
export class FilterBudget {
  readonly #store: Store
  readonly #limits: FilterLimits
  readonly #spent = new Map<string, FilterLimits>()

  constructor(store: Store, limits: FilterLimits) {
    this.#store = store
    this.#limits = limits
  }

  /**
   * Takes a subscription's sets on, before any of their rows is read. Throws TooDearError, which says what is too much, and
   * NotFoundError and FilterError for tables and filters that there aren't; then nothing was taken on.
   */
  add(id: string, sets: readonly WireSet[]): void {
    this.#assertReadable(sets)
    const price = this.#priceOf(sets)
    this.#assertWithin(price, 1, 'the filters of this subscription have')
    const together = [...this.#spent.values()].reduce(sum, price)
    this.#assertWithin(together, TOGETHER, 'the filters of all subscriptions of this connection would have')
    this.#spent.set(id, price)
  }

  remove(id: string): void {
    this.#spent.delete(id)
  }

  /** Understanding a filter takes its time too: what is sure to be too much is not looked at more closely. */
  #assertReadable(sets: readonly WireSet[]): void {
    const { conditions, values } = this.#limits
    const left = { conditions: conditions * OBJECTS_OF_A_CONDITION, values: conditions + values }
    const read = (value: unknown): void => {
      const isValue = typeof value !== 'object' || value === null || value instanceof Uint8Array
      if (isValue) left.values--
      else left.conditions--
      if (left.conditions < 0 || left.values < 0) throw unreadablyDear(this.#limits)
      if (!isValue) for (const member of Object.values(value)) read(member)
    }
    for (const { where } of sets) read(where)
  }

  #assertWithin(price: FilterLimits, times: number, what: string): void {
    for (const part of Object.keys(COUNTED) as (keyof FilterLimits)[]) {
      const most = this.#limits[part] * times
      if (price[part] > most)
        throw new TooDearError(`${what} ${Math.ceil(price[part])} ${COUNTED[part]}, ${most} are allowed: ask for less`)
    }
  }

  #priceOf(sets: readonly WireSet[]): FilterLimits {
    const prices = sets.map(({ table, where }): readonly [string, FilterPrice] => [
      this.#store.table(table).name,
      where ? priceWhere(internals(this.#store).engine.byName.get(table)!, where) : FREE,
    ])
    const price = prices.reduce((all, [, one]) => sum(all, { ...one, steps: 0 }), {
      ...FREE,
      conditions: sets.length,
      steps: 0,
    })
    // What is too much in any case is not multiplied by rows, which have to be counted.
    this.#assertWithin(price, 1, 'the filters of this subscription have')
    const rows = new Map<string, number>()
    let steps = (price.readings * this.#bytes()) / BYTES_OF_A_STEP
    for (const [table, { conditions }] of prices) {
      if (!rows.has(table)) rows.set(table, this.#store.table(table).count())
      steps += conditions * rows.get(table)!
    }
    return { ...price, steps }
  }

  /** The size of the database, which no table's texts are larger than. */
  #bytes(): number {
    const statement = internals(this.#store).engine.driver.prepare(
      'SELECT page_count * page_size FROM pragma_page_count, pragma_page_size',
    )
    try {
      return Number(statement.get()?.[0])
    } finally {
      statement.finalize()
    }
  }
}

function sum(a: FilterLimits, b: FilterLimits): FilterLimits {
  return { ...addPrices(a, b), steps: a.steps + b.steps }
}
