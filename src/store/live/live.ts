import { map, Observable, skipWhile, Subject, type Subscriber } from 'rxjs'
import { StoreClosedError } from '../../errors/index.ts'
import type { LiveDiff, LiveQuery } from '../api.ts'
import type { Engine } from '../engine.ts'
import { sourceOf, type LiveSource } from './live-source.ts'

const none: readonly never[] = Object.freeze([])

const active = new WeakMap<Engine, Set<{ close(): void }>>()

/** Completes every live query of a store that someone is subscribed to: before the store closes. */
export function closeLiveQueries(engine: Engine): void {
  for (const live of Array.from(active.get(engine) ?? [])) live.close()
}

/**
 * A live query: the streams over a source, which it follows while anybody is subscribed and shares with all live queries
 * of the same identity.
 */
export class Live<Row extends object> implements LiveQuery<Row> {
  readonly rows$: Observable<readonly Row[]>
  readonly diff$: Observable<LiveDiff<Row>>
  readonly #engine: Engine
  readonly #find: () => LiveSource<Row>
  readonly #rows = new Subject<readonly Row[]>()
  readonly #diffs = new Subject<{ readonly rows: readonly Row[]; readonly diff: LiveDiff<Row> }>()
  readonly #listener: Parameters<LiveSource<Row>['follow']>[0]
  #subscribers = 0
  /** While there is a subscriber. */
  #source: LiveSource<Row> | undefined
  /** For reading while there is none. */
  #idle: LiveSource<Row> | undefined
  /** Who still holds the last result gets it again if it is the same; who doesn't can't tell. */
  #last: WeakRef<readonly Row[]> | undefined
  #closed = false

  /** @param identity the same for queries that ask the same */
  constructor(engine: Engine, identity: string, make: () => LiveSource<Row>) {
    this.#engine = engine
    this.#find = () => sourceOf(engine, identity, () => (this.#idle ??= make()))
    const diffs = this.#diffs
    this.#listener = {
      get wantsDiff() {
        return diffs.observed
      },
      told: (rows, diff) => {
        this.#rows.next(rows)
        if (diff) this.#diffs.next({ rows, diff })
      },
    }
    this.rows$ = new Observable((subscriber) => this.#subscribe(subscriber, () => this.#follow(subscriber)))
    this.diff$ = new Observable((subscriber) =>
      this.#subscribe(subscriber, () => {
        // Who subscribes while this result is told of has it already.
        const known = this.#source?.current
        subscriber.add(
          this.#diffs
            .pipe(
              skipWhile(({ rows }) => rows === known),
              map(({ diff }) => diff),
            )
            .subscribe(subscriber),
        )
      }),
    )
  }

  get rows(): readonly Row[] {
    if (this.#closed) throw new StoreClosedError('the live query')
    this.#engine.assertOpen()
    const source = this.#source ?? this.#find()
    this.#noteReads(source)
    const last = this.#last?.deref() ?? none
    const rows = source.now(last)
    if (!this.#source && rows !== last) this.#last = new WeakRef(rows)
    return rows
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#deactivate()
    this.#last = undefined
    this.#rows.complete()
    this.#diffs.complete()
  }

  #subscribe(subscriber: Subscriber<never>, follow: () => void): void {
    if (this.#closed || this.#engine.closed) {
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
    while (!subscriber.closed && this.#source?.current && told !== this.#source.current) {
      told = this.#source.current
      subscriber.next(told)
    }
    if (subscriber.closed) return
    // Nor again with what it was given while that was about to be told.
    subscriber.add(this.#rows.pipe(skipWhile((rows) => rows === told)).subscribe(subscriber))
  }

  #noteReads(source: LiveSource<Row>): void {
    if (this.#engine.reads) for (const rows of source.tables()) this.#engine.noteRead(rows)
  }

  #activate(): void {
    this.#engine.assertOpen()
    const source = this.#find()
    this.#noteReads(source)
    source.follow(this.#listener, this.#last?.deref() ?? none)
    this.#source = source
    let lives = active.get(this.#engine)
    if (!lives) active.set(this.#engine, (lives = new Set()))
    lives.add(this)
  }

  #deactivate(): void {
    const source = this.#source
    if (!source) return
    if (source.current) this.#last = new WeakRef(source.current)
    this.#source = undefined
    active.get(this.#engine)?.delete(this)
    source.unfollow(this.#listener)
  }
}
