import type { LiveDiff } from '../api.ts'
import type { Engine } from '../engine.ts'
import type { TableRows } from '../rows/table-rows.ts'
import { diffRows } from './diff-rows.ts'

/** Who follows a source: one live query. */
export interface SourceListener<Row> {
  /** Whether anybody looks at differences: they are made only then. */
  readonly wantsDiff: boolean
  told(rows: readonly Row[], diff: LiveDiff<Row> | undefined): void
}

const sources = new WeakMap<Engine, Map<string, LiveSource<object>>>()

/** The source of this identity that is being followed already, or a new one. */
export function sourceOf<Row extends object>(
  engine: Engine,
  identity: string,
  make: () => LiveSource<Row>,
): LiveSource<Row> {
  return (sources.get(engine)?.get(identity) as LiveSource<Row> | undefined) ?? make()
}

/**
 * The result of a query, kept up to date while somebody follows it: all live queries that ask the same share it. A
 * subclass keeps the result: `start` gives it and begins to follow changes, `publish` tells of a new one.
 */
export abstract class LiveSource<Row extends object> {
  protected readonly engine: Engine
  readonly #identity: string
  readonly #listeners = new Set<SourceListener<Row>>()
  #current: readonly Row[] | undefined
  #ahead: readonly Row[] | undefined
  #aheadAt = -1
  #forgets = false
  #failed = false

  constructor(engine: Engine, identity: string) {
    this.engine = engine
    this.#identity = identity
  }

  /** The result while somebody follows. */
  get current(): readonly Row[] | undefined {
    return this.#current
  }

  /**
   * The result as SQL gives it now: read anew where something was written of which followers have not been told, or where
   * it could not be read last. `previous`: rows that were given before, to be given again while they are the same.
   */
  now(previous: readonly Row[]): readonly Row[] {
    if (this.#current && !this.#failed && this.engine.upToDate) return this.#current
    const { revision } = this.engine
    if (this.#ahead && this.#aheadAt === revision) return this.#ahead
    const known = this.#ahead ?? this.#current ?? previous
    const rows = this.read(known)
    const now = sameRows(known, rows) ? known : Object.freeze(rows)
    if (this.#current && this.#ahead !== now) this.#keepAhead(now)
    this.#aheadAt = revision
    return now
  }

  /** What was read before followers are told of it, and may be told yet. */
  protected get ahead(): readonly Row[] | undefined {
    return this.#ahead
  }

  /** What a transaction reads may be undone: it is not known when that has ended. */
  #keepAhead(rows: readonly Row[]): void {
    this.#ahead = rows
    if (!this.engine.inTransaction || this.#forgets) return
    this.#forgets = true
    const forget = (): void => {
      this.#forgets = false
      this.#ahead = undefined
    }
    this.engine.onEnd('rollback', forget)
    this.engine.onEnd('commit', forget)
  }

  /** Begins to follow. `previous`: the last result that the follower knows. */
  follow(listener: SourceListener<Row>, previous: readonly Row[]): void {
    if (this.#listeners.size === 0) this.#activate(previous)
    this.#listeners.add(listener)
  }

  unfollow(listener: SourceListener<Row>): void {
    if (!this.#listeners.delete(listener) || this.#listeners.size > 0) return
    this.#current = undefined
    this.#ahead = undefined
    this.#failed = false
    sources.get(this.engine)?.delete(this.#identity)
    this.stop()
  }

  /** The tables that the query reads. */
  abstract tables(): Iterable<TableRows>
  /** Runs the query once. Where its rows are those of `previous`, they should be the same objects. */
  abstract read(previous: readonly Row[]): readonly Row[]
  /** Runs the query and begins to follow changes. `previous` is as for `read`. */
  protected abstract start(previous: readonly Row[]): readonly Row[]
  /** Lets go of everything. */
  protected abstract stop(): void
  /** Runs the query again and publishes what is new. */
  protected abstract refresh(): void
  /** What tells the rows of a result apart, also across a change of one. */
  protected abstract idOf(row: Row): unknown

  /** Publishes what a run gives. What it throws is thrown to whoever asks for the result, too, until it gives one. */
  protected renew(run: () => readonly Row[]): void {
    this.#failed = true
    const rows = run()
    this.#failed = false
    this.publish(rows)
  }

  /** Tells followers of a new result, unless it is the old one. */
  protected publish(rows: readonly Row[]): void {
    const before = this.#current
    const ahead = this.#ahead
    this.#ahead = undefined
    if (!before || sameRows(before, rows)) return
    const after = ahead && sameRows(ahead, rows) ? ahead : Object.freeze(rows)
    this.#current = after
    const listeners = Array.from(this.#listeners)
    const diff = listeners.some(({ wantsDiff }) => wantsDiff)
      ? diffRows(before, after, (row) => this.idOf(row))
      : undefined
    this.engine.announcer.onceUpdated(() => {
      // Who has let go and come again has been given a later result.
      if (this.#current === after)
        for (const listener of listeners) if (this.#listeners.has(listener)) listener.told(after, diff)
    })
  }

  #activate(previous: readonly Row[]): void {
    const rows = this.start(previous)
    this.#current = sameRows(previous, rows) ? previous : Object.freeze(rows)
    let known = sources.get(this.engine)
    if (!known) sources.set(this.engine, (known = new Map<string, LiveSource<object>>()))
    known.set(this.#identity, this)
    if (!this.engine.inTransaction) return
    // What was read here may be undone, in whole or in part, without a change that says so.
    const again = (): void => {
      if (this.#current && !this.engine.closed) this.refresh()
    }
    this.engine.onEnd('rollback', again)
    this.engine.onEnd('commit', again)
  }
}

/** Whether two results are the same rows in the same order. */
function sameRows(a: readonly object[], b: readonly object[]): boolean {
  if (a === b) return true
  if (a.length !== b.length) return false
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false
  return true
}
