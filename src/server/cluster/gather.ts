import type { Operation } from './shard-record.ts'
import type { DatabaseLog } from './shard-state.ts'

/** What decisions rest on. */
export type LogEnd = Pick<DatabaseLog, 'id' | 'last' | 'lastPayload' | 'digest'>

/** Decides, on the logs with all that goes before it, which operations are to be appended; none is fine. May throw. */
export type Decision = (logOf: (database: string) => LogEnd | undefined) => readonly Operation[]

/** Someone who waits for what is to be decided. */
export interface Waiting {
  readonly decide: Decision
  readonly settle: () => void
  readonly fail: (error: unknown) => void
}

/** Someone who waits, and how to tell what was decided: done, or refused. It holds once the log is known to be as it was. */
export interface Decided {
  readonly waiting: Waiting
  readonly tell: () => void
}

/** Payloads of one record, in UTF-16 units: it ends with what brings more. */
const MOST_GATHERED = 4 << 20

/** The logs as they are once the operations are done that are decided upon, as far as decisions ask. */
class Staged {
  readonly #databases: ReadonlyMap<string, DatabaseLog>
  readonly #changed = new Map<string, LogEnd | undefined>()

  constructor(databases: ReadonlyMap<string, DatabaseLog>) {
    this.#databases = databases
  }

  get(database: string): LogEnd | undefined {
    return this.#changed.has(database) ? this.#changed.get(database) : this.#databases.get(database)
  }

  do(operation: Operation): void {
    const { database } = operation
    if (operation.do === 'open') this.#changed.set(database, { id: operation.id, last: operation.start })
    if (operation.do === 'delete') this.#changed.set(database, undefined)
    if (operation.do === 'append') {
      const { sequence: last, payload: lastPayload } = operation
      this.#changed.set(database, { id: this.get(database)!.id, last, lastPayload })
    }
  }
}

/**
 * Takes from those who wait as many as one record holds, in their order, and decides for each on the logs with all that goes
 * before it.
 */
export function gather(
  waiting: Waiting[],
  databases: ReadonlyMap<string, DatabaseLog>,
): { readonly operations: readonly Operation[]; readonly decided: readonly Decided[] } {
  const staged = new Staged(databases)
  const operations: Operation[] = []
  const decided: Decided[] = []
  for (let length = 0; waiting.length > 0 && length < MOST_GATHERED;) {
    const one = waiting.shift()!
    try {
      for (const operation of one.decide((database) => staged.get(database))) {
        staged.do(operation)
        operations.push(operation)
        if (operation.do === 'append') length += operation.payload.length
      }
      decided.push({ waiting: one, tell: one.settle })
    } catch (error) {
      decided.push({ waiting: one, tell: () => one.fail(error) })
    }
  }
  return { operations, decided }
}
