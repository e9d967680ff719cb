import { Observable, Subject, type Subscriber } from 'rxjs'
import { StoreClosedError } from '../../errors/index.ts'
import type { LiveDiff, LiveQuery } from '../api.ts'
import type { Engine } from '../engine.ts'
import { diffRows } from './diff-rows.ts'

const none: readonly never[] = Object.freeze([])

const active = new WeakMap<Engine, Set<{ close(): void }>>()

/** Completes every live query of a store that someone is subscribed to: before the store closes. */
export function closeLiveQueries(engine: Engine): void {
  for (const live of Array.from(active.get(engine) ?? [])) live.close()
}

/**
 * What live queries have in common: the streams, and that all their subscribers share one result, which is kept while
 * there is one. A subclass keeps the result: `start` gives it and begins to follow changes, `publish` tells of a new one.
 */
export abstract class Live<Row extends object> implements LiveQuery<Row> {
  readonly rows$: Observable<readonly Row[]>
  readonly diff$: Observable<LiveDiff<Row>>
  protected readonly engine: Engine
  readonly #rows = new Subject<readonly Row[]>()
  readonly #diffs = new Subject<LiveDiff<Row>>()
  #subscribers = 0
  #current: readonly Row[] | undefined
  /** Who still holds the last result gets it again if it is the same; who doesn't can't tell. */
  #last: WeakRef<readonly Row[]> | undefined
  #closed = false

  constructor(engine: Engine) {
    this.engine = engine
    this.rows$ = new Observable((subscriber) => this.#subscribe(subscriber, () => this.#follow(subscriber)))
    this.diff$ = new Observable((subscriber) =>
      this.#subscribe(subscriber, () => {
        subscriber.add(this.#diffs.subscribe(subscriber))
      }),
    )
  }

  get rows(): readonly Row[] {
    if (this.#closed) throw new StoreClosedError('the live query')
    this.engine.assertOpen()
    if (this.#current) return this.#current
    const rows = this.read(this.#last?.deref() ?? none)
    return this.#remember(rows)
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#deactivate()
    this.#last = undefined
    this.#rows.complete()
    this.#diffs.complete()
  }

  /** The result while someone is subscribed. */
  protected get current(): readonly Row[] | undefined {
    return this.#current
  }

  /** Runs the query once. Where its rows are those of `previous`, they should be the same objects. */
  protected abstract read(previous: readonly Row[]): readonly Row[]
  /** Runs the query and begins to follow changes. `previous` is as for `read`. */
  protected abstract start(previous: readonly Row[]): readonly Row[]
  /** Lets go of everything. */
  protected abstract stop(): void
  /** Runs the query again and publishes what is new. */
  protected abstract refresh(): void
  /** What tells the rows of a result apart, also across a change of one. */
  protected abstract idOf(row: Row): unknown

  /** Tells subscribers of a new result, unless it is the old one. */
  protected publish(rows: readonly Row[]): void {
    const before = this.#current
    if (!before || sameRows(before, rows)) return
    const after = Object.freeze(rows)
    this.#current = after
    const diff = this.#diffs.observed ? diffRows(before, after, (row) => this.idOf(row)) : undefined
    this.#rows.next(after)
    if (diff) this.#diffs.next(diff)
  }

  #subscribe(subscriber: Subscriber<never>, follow: () => void): void {
    if (this.#closed || this.engine.closed) {
      subscriber.complete()
      return
    }
    if (this.#subscribers === 0) this.#activate()
    this.#subscribers++
    subscriber.add(() => {
      this.#subscribers--
      if (this.#subscribers === 0) this.#deactivate()
    })
    follow()
  }

  /** A result that came while the subscriber was told of the one before is told next. */
  #follow(subscriber: Subscriber<readonly Row[]>): void {
    let told: readonly Row[] | undefined
    while (!subscriber.closed && this.#current && told !== this.#current) {
      told = this.#current
      subscriber.next(told)
    }
    if (subscriber.closed) return
    subscriber.add(this.#rows.subscribe(subscriber))
  }

  #activate(): void {
    const last: readonly Row[] = this.#last?.deref() ?? none
    const rows = this.start(last)
    this.#current = sameRows(last, rows) ? last : Object.freeze(rows)
    let lives = active.get(this.engine)
    if (!lives) active.set(this.engine, (lives = new Set()))
    lives.add(this)
    if (!this.engine.inTransaction) return
    // What was read here may be undone, in whole or in part, without a change that says so.
    const again = (): void => {
      if (this.#current && !this.engine.closed) this.refresh()
    }
    this.engine.onEnd('rollback', again)
    this.engine.onEnd('commit', again)
  }

  #deactivate(): void {
    if (!this.#current) return
    this.#last = new WeakRef(this.#current)
    this.#current = undefined
    active.get(this.engine)?.delete(this)
    this.stop()
  }

  #remember(rows: readonly Row[]): readonly Row[] {
    const last = this.#last?.deref()
    if (last && sameRows(last, rows)) return last
    this.#last = new WeakRef(Object.freeze(rows))
    return rows
  }
}

function sameRows(a: readonly object[], b: readonly object[]): boolean {
  if (a === b) return true
  if (a.length !== b.length) return false
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false
  return true
}
