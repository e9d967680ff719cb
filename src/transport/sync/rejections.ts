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
  /** The version of the schema that it was made for. */
  readonly version: number
}

/** The transactions that the server refused, until somebody deals with them. */
export class Rejections {
  readonly #list: Latest<readonly RejectedTransaction[]>
  readonly #kept = new Map<RejectedTransaction, Rejection>()
  readonly #retried = new Set<RejectedTransaction>()
  readonly #does: {
    recommit(changes: ChangeSet['changes'], label: string | undefined): void
    dealt(id: string): void
    tell(run: () => void): void
    assertUsable(version?: number): void
  }

  constructor(does: {
    /** Commits the changes again. */
    recommit(changes: ChangeSet['changes'], label: string | undefined): void
    /** Told of each that somebody has dealt with. */
    dealt(id: string): void
    /** Runs what tells subscribers, when it is their turn. */
    tell(run: () => void): void
    /** Throws where nothing can be done about one now; with a version, where what was made for that can't be retried. */
    assertUsable(version?: number): void
  }) {
    this.#does = does
    this.#list = new Latest<readonly RejectedTransaction[]>([], (run) => does.tell(run))
  }

  /** All of them, as they are kept. */
  get all(): readonly Rejection[] {
    return this.#list.value.map((one) => this.#kept.get(one)!)
  }

  get list$(): Observable<readonly RejectedTransaction[]> {
    return this.#list.value$
  }

  has(id: string): boolean {
    return this.#list.value.some((one) => one.id === id)
  }

  add({ id, changes, code, reason, version }: Rejection): void {
    if (this.has(id)) return
    const rejected: RejectedTransaction = {
      id,
      label: changes.label,
      changes,
      code,
      reason,
      retry: () => {
        this.#assertThere(rejected)
        this.#does.assertUsable(version)
        // Whoever hears of it may ask for the same.
        this.#retried.add(rejected)
        try {
          this.#does.recommit(changes.changes, changes.label)
        } finally {
          this.#retried.delete(rejected)
        }
        this.#remove(rejected)
      },
      discard: () => {
        this.#assertThere(rejected)
        this.#does.assertUsable()
        this.#remove(rejected)
      },
    }
    this.#kept.set(rejected, { id, changes, code, reason, version })
    this.#list.set([...this.#list.value, rejected])
  }

  close(): void {
    this.#list.complete()
  }

  #assertThere(rejected: RejectedTransaction): void {
    if (!this.#list.value.includes(rejected) || this.#retried.has(rejected))
      throw new NotFoundError('this rejected transaction was retried or discarded already')
  }

  /** Leaves one out that was dealt with before. */
  forget(id: string): void {
    this.#keep(({ id: other }) => other !== id)
  }

  #remove(rejected: RejectedTransaction): void {
    this.#does.dealt(rejected.id)
    this.#keep((one) => one !== rejected)
  }

  #keep(stays: (one: RejectedTransaction) => boolean): void {
    for (const one of this.#list.value) if (!stays(one)) this.#kept.delete(one)
    this.#list.set(this.#list.value.filter(stays))
  }
}
