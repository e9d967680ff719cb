import type { Observable } from 'rxjs'
import type { ChangeSet } from '../../changes/index.ts'
import { NotFoundError } from '../../errors/index.ts'
import type { RejectedTransaction } from '../../store/index.ts'
import { Latest } from './latest.ts'

/** A transaction that the server refused, as it is kept. */
export interface Rejection {
  readonly id: string
  readonly changes: ChangeSet
  readonly code: string
  readonly reason: string
}

/** The transactions that the server refused, until somebody deals with them. */
export class Rejections {
  readonly #list: Latest<readonly RejectedTransaction[]>
  readonly #does: {
    recommit(changes: ChangeSet['changes'], label: string | undefined): void
    dealt(id: string): void
    tell(run: () => void): void
  }

  constructor(does: {
    /** Commits the changes again. */
    recommit(changes: ChangeSet['changes'], label: string | undefined): void
    /** Told of each that somebody has dealt with. */
    dealt(id: string): void
    /** Runs what tells subscribers, when it is their turn. */
    tell(run: () => void): void
  }) {
    this.#does = does
    this.#list = new Latest<readonly RejectedTransaction[]>([], (run) => does.tell(run))
  }

  get list(): readonly RejectedTransaction[] {
    return this.#list.value
  }

  get list$(): Observable<readonly RejectedTransaction[]> {
    return this.#list.value$
  }

  has(id: string): boolean {
    return this.#list.value.some((one) => one.id === id)
  }

  add({ id, changes, code, reason }: Rejection): void {
    if (this.has(id)) return
    const rejected: RejectedTransaction = {
      id,
      label: changes.label,
      changes,
      code,
      reason,
      retry: () => {
        this.#assertThere(rejected)
        this.#does.recommit(changes.changes, changes.label)
        this.#remove(rejected)
      },
      discard: () => {
        this.#assertThere(rejected)
        this.#remove(rejected)
      },
    }
    this.#list.set([...this.#list.value, rejected])
  }

  close(): void {
    this.#list.complete()
  }

  #assertThere(rejected: RejectedTransaction): void {
    if (!this.#list.value.includes(rejected))
      throw new NotFoundError('this rejected transaction was retried or discarded already')
  }

  /** Leaves one out that was dealt with before. */
  forget(id: string): void {
    this.#list.set(this.#list.value.filter((one) => one.id !== id))
  }

  #remove(rejected: RejectedTransaction): void {
    this.#does.dealt(rejected.id)
    this.#list.set(this.#list.value.filter((one) => one !== rejected))
  }
}
