import { BehaviorSubject, distinctUntilChanged, map, type Observable } from 'rxjs'
import { describeKey, hiddenPathsOf, invert, isEmpty, type ChangeSet, type RowChange } from '../changes/index.ts'
import { TransactionError } from '../errors/index.ts'
import type { SqlValue } from '../drivers/index.ts'
import { sameSql } from '../schema/index.ts'
import type { HistoryStep } from './api.ts'
import { applyBase } from './apply-base.ts'
import { bytesOfChanges } from './bytes-of-changes.ts'
import type { Engine } from './engine.ts'
import type { RowWrite } from './layers/layer-stacks.ts'
import type { CellId } from './rows/cell-id.ts'
import { encodeCells, encodeChanges } from './rows/encode-changes.ts'

const DEFAULT_LIMIT = 100
const DEFAULT_BYTES = 32 * 1024 * 1024
/** Of a step that is undone and done again and again, what was committed for it is known so many times back. */
const KEPT_SETS = 64
/** In the place of a step that has been let go. */
const none: HistoryStep = Object.freeze({
  id: 0,
  label: undefined,
  changes: { changes: [], origin: 'local' as const },
  at: 0,
})

/** What is kept for undo; what is not given is the default. */
export interface HistoryBounds {
  /** How many steps. */
  readonly limit?: number | undefined
  /** What they take in memory, about, in bytes. The newest is kept however large it is. */
  readonly bytes?: number | undefined
}

interface Steps {
  readonly done: readonly HistoryStep[]
  readonly undone: readonly HistoryStep[]
}

/**
 * What a server withholds can't be put back by one who does not see it: the server would take it for its default. Throws
 * TransactionError.
 */
function assertSeen(changes: readonly RowChange[]): void {
  for (const { table, key, after } of changes) {
    const [path] = hiddenPathsOf(after)
    if (path !== undefined)
      throw new TransactionError(
        `${table} ${describeKey(key)} can't be put back: its '${path}' is withheld from this client, so only one who sees it can`,
      )
  }
}

/** The steps of one store that can be undone and redone. An undo is a transaction of its own: it is committed and sent. */
export class HistoryLog {
  readonly #engine: Engine
  readonly #limit: number
  readonly #mostBytes: number
  #bytes = 0
  /** The last ones; those before `#from` have been let go. */
  #done: HistoryStep[] = []
  #from = 0
  #undone: HistoryStep[] = []
  /** Tells that the steps have changed; they are copied only for those who look at them. */
  readonly #changed = new BehaviorSubject<void>(undefined)
  readonly #sets = new WeakMap<HistoryStep, readonly ChangeSet[]>()
  readonly #refused = new WeakSet<ChangeSet>()
  #next = 1

  constructor(engine: Engine, { limit = DEFAULT_LIMIT, bytes = DEFAULT_BYTES }: HistoryBounds) {
    this.#engine = engine
    this.#limit = limit
    this.#mostBytes = bytes
  }

  get canUndo(): boolean {
    this.#engine.assertOpen()
    return this.#count > 0
  }

  get canRedo(): boolean {
    this.#engine.assertOpen()
    return this.#undone.length > 0
  }

  get canUndo$(): Observable<boolean> {
    return this.#follow(() => this.#count > 0).pipe(distinctUntilChanged())
  }

  get canRedo$(): Observable<boolean> {
    return this.#follow(() => this.#undone.length > 0).pipe(distinctUntilChanged())
  }

  get steps$(): Observable<Steps> {
    return this.#follow(() => ({ done: this.#done.slice(this.#from), undone: [...this.#undone] }))
  }

  /** Takes in what was committed here. */
  record(changes: ChangeSet): void {
    if (this.#limit <= 0) return
    this.#done.push(Object.freeze({ id: this.#next++, label: changes.label, changes, at: Date.now() }))
    this.#bytes += bytesOfChanges(changes)
    if (this.#count > this.#limit) this.#drop()
    for (const step of this.#undone) this.#bytes -= this.#bytesOf(step)
    this.#undone = []
    this.#shrink()
    if (this.#changed.observed) this.#engine.later(() => this.#changed.next())
  }

  /**
   * A server has refused it: what it did is no more, and to undo it would touch what others did. An undo that was refused
   * leaves its step as it was.
   */
  refused(set: ChangeSet): void {
    const isIts = (step: HistoryStep): boolean => this.#setsOf(step).includes(set)
    const list = [this.#done, this.#undone].find((steps) => steps.some(isIts))
    if (!list) return
    this.#refused.add(set)
    const at = list.findIndex(isIts)
    const step = list[at]!
    const sets = this.#setsOf(step)
    const before = this.#bytesOf(step)
    // One that came to nothing goes with what it followed.
    const last = sets.findLastIndex((one) => !this.#refused.has(one) && !isEmpty(one))
    if (this.#refused.has(sets[0]!)) {
      list.splice(at, 1)
      this.#bytes -= before
    } else if (last < sets.length - 1) {
      list.splice(at, 1)
      const back = { ...step, changes: sets[last]! }
      this.#sets.set(back, sets.slice(0, last + 1))
      this.#bytes += this.#bytesOf(back) - before
      if (last % 2 === 0) this.#done.push(back)
      else this.#undone.unshift(back)
    }
    this.#tell()
  }

  /** What was committed for a step: it, its undo, that done again, and so on. */
  #setsOf(step: HistoryStep): readonly ChangeSet[] {
    return this.#sets.get(step) ?? [step.changes]
  }

  /** A step that changes something else now: by being undone, or done again. */
  #with(step: HistoryStep, changes: ChangeSet): HistoryStep {
    const next = { ...step, changes }
    const before = this.#bytesOf(step)
    const sets = [...this.#setsOf(step), changes]
    this.#sets.set(next, sets)
    this.#bytes += this.#bytesOf(next) - before
    // Only a refusal asks for the first ones. Two at a time, as every other one is an undo.
    while (sets.length > 2 && (sets.length > KEPT_SETS || this.#bytes > this.#mostBytes))
      for (const dropped of sets.splice(0, 2)) this.#bytes -= bytesOfChanges(dropped)
    return next
  }

  #bytesOf(step: HistoryStep): number {
    return this.#setsOf(step).reduce((sum, set) => sum + bytesOfChanges(set), 0)
  }

  /** Lets go of the oldest steps, until the others are within the bound. */
  #shrink(): void {
    while (this.#bytes > this.#mostBytes && this.#count > 1) this.#drop()
  }

  undo(): HistoryStep | undefined {
    this.#engine.assertWritable()
    const step = this.#count > 0 ? this.#done.at(-1) : undefined
    if (!step) return undefined
    const reversed = this.#apply(step, 'undo')
    this.#done.pop()
    this.#undone.unshift(this.#with(step, reversed))
    this.#tell()
    return step
  }

  redo(): HistoryStep | undefined {
    this.#engine.assertWritable()
    const step = this.#undone[0]
    if (!step) return undefined
    const again = this.#with(step, this.#apply(step, 'redo'))
    this.#undone.shift()
    this.#done.push(again)
    this.#tell()
    return again
  }

  clear(): void {
    this.#engine.assertOpen()
    this.#done = []
    this.#from = 0
    this.#undone = []
    this.#bytes = 0
    this.#tell()
  }

  close(): void {
    this.#changed.complete()
  }

  get #count(): number {
    return this.#done.length - this.#from
  }

  /** Lets go of the oldest step, without moving the others each time. */
  #drop(): void {
    this.#bytes -= this.#bytesOf(this.#done[this.#from]!)
    this.#done[this.#from++] = none
    if (this.#from < 1_000) return
    this.#done = this.#done.slice(this.#from)
    this.#from = 0
  }

  /** What the steps say now, then with each change of them, until the store is closed. */
  #follow<Value>(read: () => Value): Observable<Value> {
    this.#engine.assertOpen()
    return this.#changed.pipe(map(read))
  }

  #apply({ changes: undone, label }: HistoryStep, origin: 'undo' | 'redo'): ChangeSet {
    const { changes } = invert(undone)
    const engine = this.#engine
    if (engine.sync) assertSeen(changes)
    const applied = applyBase(engine, this.#standing(changes), {
      what: `history.${origin}`,
      origin,
      label,
      take: true,
      commits: true,
      undoes: undone,
    })
    return applied ?? { changes: [], origin }
  }

  /** What still is as the step left it: what someone else has changed since is left alone. */
  #standing(changes: readonly RowChange[]): RowWrite[] {
    return encodeChanges(this.#engine, changes).flatMap((write, n): RowWrite[] => {
      const change = changes[n]!
      const { rows, key } = write
      const stack = this.#engine.layers.get(rows, write.id)
      const rowid = rows.rowidOf(key)
      const committed = stack ? stack.committed : rowid !== undefined
      if (write.op === 'insert') return committed ? [] : [write]
      if (!committed) return []
      if (write.op === 'delete') return [write]
      const expected = encodeCells(rows, change, change.before)
      const cells = new Map<CellId, SqlValue>()
      for (const [cell, value] of write.cells) {
        if (sameSql(this.#engine.layers.committedCell(rows, key, cell), expected.get(cell) ?? null))
          cells.set(cell, value)
      }
      return cells.size > 0 ? [{ ...write, cells }] : []
    })
  }

  #tell(): void {
    this.#engine.enqueue(() => this.#changed.next())
  }
}
