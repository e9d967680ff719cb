import { BehaviorSubject, distinctUntilChanged, map, type Observable } from 'rxjs'
import { describeKey, hiddenPathsOf, invert, isEmpty, type ChangeSet, type RowChange } from '../changes/index.ts'
import {
  ConstraintError,
  NotFoundError,
  RejectedError,
  RowcastError,
  TransactionError,
  ValidationError,
} from '../errors/index.ts'
import type { SqlValue } from '../drivers/index.ts'
import { sameSql } from '../schema/index.ts'
import type { HistoryStep, SkippedStep } from './api.ts'
import { applyBase } from './apply-base.ts'
import { bytesOfChanges } from './bytes-of-changes.ts'
import type { Engine } from './engine.ts'
import type { RowWrite } from './layers/layer-stacks.ts'
import type { CellId } from './rows/cell-id.ts'
import { encodeCells, encodeChanges } from './rows/encode-changes.ts'
import { SkippedSteps } from './skipped-steps.ts'

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

/** What is kept for undo, and what that is called; what is not given is the default. */
export interface HistoryOptions {
  /** How many steps. */
  readonly limit?: number | undefined
  /** What they take in memory, about, in bytes. The newest is kept however large it is. */
  readonly bytes?: number | undefined
  /** What a transaction is called that undoes a step, or does it again. */
  readonly label?: ((step: HistoryStep, action: SkippedStep['action']) => string | undefined) | undefined
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

/** Whether it says that the step can't be taken back as things are. */
function isRefusal(error: unknown): error is RowcastError {
  return (
    error instanceof ConstraintError ||
    error instanceof ValidationError ||
    error instanceof NotFoundError ||
    error instanceof TransactionError
  )
}

/** The steps of one store that can be undone and redone. An undo is a transaction of its own: it is committed and sent. */
export class HistoryLog {
  readonly #engine: Engine
  readonly #limit: number
  readonly #mostBytes: number
  readonly #labelOf: HistoryOptions['label']
  #bytes = 0
  /** The last ones; those before `#from` have been let go. */
  #done: HistoryStep[] = []
  #from = 0
  #undone: HistoryStep[] = []
  /** Tells that the steps have changed; they are copied only for those who look at them. */
  readonly #changed = new BehaviorSubject<void>(undefined)
  readonly #sets = new WeakMap<HistoryStep, readonly ChangeSet[]>()
  readonly #refused = new WeakSet<ChangeSet>()
  readonly #skipped: SkippedSteps
  #next = 1

  constructor(engine: Engine, { limit = DEFAULT_LIMIT, bytes = DEFAULT_BYTES, label }: HistoryOptions) {
    this.#labelOf = label
    this.#engine = engine
    this.#limit = limit
    this.#mostBytes = bytes
    this.#skipped = new SkippedSteps(limit)
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

  get skipped$(): Observable<readonly SkippedStep[]> {
    this.#engine.assertOpen()
    return this.#skipped.steps$
  }

  /** Takes in what was committed here. */
  record(changes: ChangeSet): void {
    if (this.#limit <= 0) return
    this.#done.push(Object.freeze({ id: this.#next++, label: changes.label, changes, at: Date.now() }))
    this.#bytes += bytesOfChanges(changes)
    if (this.#count > this.#limit) this.#drop()
    for (const step of this.#undone) this.#bytes -= this.#bytesOf(step)
    this.#undone = []
    this.#skipped.overtake()
    this.#shrink()
    if (this.#changed.observed) this.#engine.later(() => this.#changed.next())
  }

  /** A draft has ended: what only that stood in the way of can be undone, or done again, in its turn. */
  draftEnded(draftId: string): void {
    const freed = this.#skipped.freedBy(draftId)
    if (freed.length === 0) return
    for (const { step, action } of freed) {
      if (action === 'undo') this.#insert(this.#done, this.#from, step)
      else this.#insert(this.#undone, 0, step)
    }
    while (this.#count > this.#limit) this.#drop()
    this.#shrink()
    this.#tell()
  }

  /** Puts a step among others, from a place on, that are in the order of their ids. */
  #insert(list: HistoryStep[], from: number, step: HistoryStep): void {
    const at = list.findIndex(({ id }, n) => n >= from && id > step.id)
    list.splice(at < 0 ? list.length : at, 0, step)
  }

  /**
   * A server has refused it: what it did is no more, and to undo it would touch what others did. A step whose undo was
   * refused is as it was, and set aside: it would be refused again.
   */
  refused(set: ChangeSet, code: string, why: string): void {
    const isIts = (step: HistoryStep): boolean => this.#setsOf(step).includes(set)
    for (const { step } of this.#skipped.waitingWith(isIts)) this.#bytes -= this.#bytesOf(step)
    const list = [this.#done, this.#undone].find((steps) => steps.some(isIts))
    if (list) this.#refuse(list, list.findIndex(isIts), set, new RejectedError(code, why))
    this.#tell()
  }

  #refuse(list: HistoryStep[], at: number, set: ChangeSet, reason: RejectedError): void {
    this.#refused.add(set)
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
      this.#setAside(back, last % 2 === 0 ? 'undo' : 'redo', reason)
    }
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

  /** Lets go of the oldest steps, until the others are within the bound: first of those set aside. */
  #shrink(): void {
    while (this.#bytes > this.#mostBytes) {
      const skipped = this.#skipped.drop()
      if (skipped) this.#bytes -= this.#bytesOf(skipped.step)
      else if (this.#count > 1) this.#drop()
      else return
    }
  }

  undo(): HistoryStep | undefined {
    this.#engine.assertOutside('undo')
    const step = this.#count > 0 ? this.#done.at(-1) : undefined
    if (!step) return undefined
    return this.#holding(() => {
      const changes = this.#try(step, 'undo')
      this.#done.pop()
      if (changes instanceof RowcastError) return this.#setAside(step, 'undo', changes)
      this.#undone.unshift(this.#with(step, changes))
      return step
    })
  }

  redo(): HistoryStep | undefined {
    this.#engine.assertOutside('redo')
    const step = this.#undone[0]
    if (!step) return undefined
    return this.#holding(() => {
      const changes = this.#try(step, 'redo')
      this.#undone.shift()
      if (changes instanceof RowcastError) return this.#setAside(step, 'redo', changes)
      const again = this.#with(step, changes)
      this.#done.push(again)
      return again
    })
  }

  /** Who is told of it meanwhile may write, or undo, in answer: once the steps are in order. */
  #holding<Result>(run: () => Result): Result {
    let result: Result
    this.#engine.holdEmissions(() => {
      result = run()
      this.#tell()
    })
    return result!
  }

  #setAside(step: HistoryStep, action: SkippedStep['action'], reason: RowcastError): undefined {
    for (const dropped of this.#skipped.add(step, action, reason)) this.#bytes -= this.#bytesOf(dropped.step)
    this.#shrink()
  }

  clear(): void {
    this.#engine.assertOpen()
    this.#done = []
    this.#from = 0
    this.#undone = []
    this.#skipped.clear()
    this.#bytes = 0
    this.#tell()
  }

  close(): void {
    this.#changed.complete()
    this.#skipped.close()
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

  /** Undoes a step, or does it again: what that came to, or why it can't be. Throws TransactionError within a transaction. */
  #try(step: HistoryStep, action: SkippedStep['action']): ChangeSet | RowcastError {
    this.#engine.settle(`history.${action}`)
    try {
      return this.#apply(step, action)
    } catch (error) {
      if (isRefusal(error)) return error
      throw error
    }
  }

  #apply(step: HistoryStep, origin: SkippedStep['action']): ChangeSet | RowcastError {
    const { changes: undone } = step
    const { changes } = invert(undone)
    const engine = this.#engine
    if (engine.sync) assertSeen(changes)
    const standing = this.#standing(changes)
    if (standing.length === 0)
      return new RowcastError(
        'conflict',
        `nothing is left to ${origin}: all that it changed was changed by others since, or is gone`,
      )
    const applied = applyBase(engine, standing, {
      what: `history.${origin}`,
      origin,
      label: this.#labelOf?.(step, origin) ?? step.label,
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
    this.#engine.enqueue(() => {
      this.#changed.next()
      this.#skipped.tell()
    })
  }
}
