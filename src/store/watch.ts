import type { Subscriber } from 'rxjs'
import type { CellValue, Key } from '../changes/index.ts'
import type { RowListener } from '../triggers/index.ts'
import type { Engine } from './engine.ts'
import type { TableRows } from './rows/table-rows.ts'

/** What is watched of a row: all of it, or what lies at a path. */
export interface Watched {
  /** `undefined` for the whole row. */
  readonly path: string | undefined
  /** The columns whose changes can change it; `undefined` for all. */
  readonly columns: readonly number[] | undefined
  readonly read: (rows: TableRows, key: Key) => CellValue
  readonly same: (a: CellValue, b: CellValue) => boolean
}

/** One who watches. */
export interface Reader {
  readonly subscriber: Subscriber<CellValue>
  /** How many came before it. */
  readonly place: number
  /** What it was told last. */
  last: CellValue
}

/** All who watch the same of one row: it is read once for all of them. */
export class Watch implements RowListener {
  readonly path: string | undefined
  readonly #engine: Engine
  readonly #rows: TableRows
  readonly #key: Key
  readonly #watched: Watched
  /** Most often there is one: only others take a Set. */
  #one: Reader | undefined
  #others: Set<Reader> | undefined
  #next = 0

  constructor(engine: Engine, rows: TableRows, key: Key, watched: Watched) {
    this.path = watched.path
    this.#engine = engine
    this.#rows = rows
    this.#key = key
    this.#watched = watched
  }

  /** Tells the value now, and from now on each other one, until it leaves. */
  follow(subscriber: Subscriber<CellValue>): Reader {
    const reader: Reader = { subscriber, place: this.#next++, last: this.#watched.read(this.#rows, this.#key) }
    if (!this.#one && !this.#others) this.#one = reader
    else (this.#others ??= new Set()).add(reader)
    // What is read within a transaction may be undone, in whole or in part, or come back: nobody is told of that.
    if (this.#engine.inTransaction)
      for (const end of ['rollback', 'commit'] as const) this.#engine.onEnd(end, () => this.look())
    this.#engine.tell(() => subscriber.next(reader.last))
    return reader
  }

  /** Ends what `follow` began. Tells whether nobody is left. */
  leave(reader: Reader): boolean {
    if (this.#one === reader) this.#one = undefined
    else if (this.#others?.delete(reader) && this.#others.size === 0) this.#others = undefined
    return !this.#one && !this.#others
  }

  look(): void {
    if (this.#engine.closed) return
    const now = this.#watched.read(this.#rows, this.#key)
    const next = this.#next
    if (this.#one) this.#tell(this.#one, now)
    if (!this.#others) return
    for (const reader of this.#others) {
      // Who is told may write, and others begin to watch meanwhile: they know of what came after this.
      if (reader.place >= next) return
      this.#tell(reader, now)
    }
  }

  end(): void {
    this.#one?.subscriber.complete()
    for (const { subscriber } of this.#others ?? []) subscriber.complete()
  }

  #tell(reader: Reader, now: CellValue): void {
    if (reader.subscriber.closed || this.#watched.same(reader.last, now)) return
    reader.last = now
    reader.subscriber.next(now)
  }
}
