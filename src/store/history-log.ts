import { BehaviorSubject, distinctUntilChanged, map, type Observable } from 'rxjs'
import { invert, type ChangeSet, type RowChange } from '../changes/index.ts'
import type { SqlValue } from '../drivers/index.ts'
import { sameSql } from '../schema/index.ts'
import type { HistoryStep } from './api.ts'
import { applyBase } from './apply-base.ts'
import type { Engine } from './engine.ts'
import type { RowWrite } from './layers/layer-stacks.ts'
import type { CellId } from './rows/cells.ts'
import { encodeCells, encodeChanges } from './rows/encode-changes.ts'

const DEFAULT_LIMIT = 100

interface Steps {
  readonly done: readonly HistoryStep[]
  readonly undone: readonly HistoryStep[]
}

/** The steps of one store that can be undone and redone. An undo is a transaction of its own: it is committed and sent. */
export class HistoryLog {
  readonly #engine: Engine
  readonly #limit: number
  readonly #steps = new BehaviorSubject<Steps>({ done: [], undone: [] })
  #next = 1

  constructor(engine: Engine, limit: number = DEFAULT_LIMIT) {
    this.#engine = engine
    this.#limit = limit
  }

  get canUndo(): boolean {
    return this.#steps.value.done.length > 0
  }

  get canRedo(): boolean {
    return this.#steps.value.undone.length > 0
  }

  get canUndo$(): Observable<boolean> {
    return this.#steps.pipe(map((steps) => steps.done.length > 0), distinctUntilChanged())
  }

  get canRedo$(): Observable<boolean> {
    return this.#steps.pipe(map((steps) => steps.undone.length > 0), distinctUntilChanged())
  }

  get steps$(): Observable<Steps> {
    return this.#steps.asObservable()
  }

  /** Takes in what was committed here. */
  record(changes: ChangeSet): void {
    if (this.#limit <= 0) return
    const step: HistoryStep = Object.freeze({ id: this.#next++, label: changes.label, changes, at: Date.now() })
    this.#tell({ done: [...this.#steps.value.done, step].slice(-this.#limit), undone: [] })
  }

  undo(): HistoryStep | undefined {
    const { done, undone } = this.#steps.value
    const step = done.at(-1)
    this.#engine.assertWritable()
    if (!step) return undefined
    const reversed = this.#apply(invert(step.changes), 'undo', step.label)
    this.#tell({ done: done.slice(0, -1), undone: [{ ...step, changes: reversed }, ...undone] })
    return step
  }

  redo(): HistoryStep | undefined {
    const { done, undone } = this.#steps.value
    const [step, ...rest] = undone
    this.#engine.assertWritable()
    if (!step) return undefined
    const applied = this.#apply(invert(step.changes), 'redo', step.label)
    const again = { ...step, changes: applied }
    this.#tell({ done: [...done, again], undone: rest })
    return again
  }

  clear(): void {
    this.#engine.assertOpen()
    this.#tell({ done: [], undone: [] })
  }

  close(): void {
    this.#steps.complete()
  }

  #apply(changes: ChangeSet, origin: 'undo' | 'redo', label: string | undefined): ChangeSet {
    const writes = this.#standing(changes.changes)
    const applied = applyBase(this.#engine, writes, { what: `history.${origin}`, origin, label, take: true, commits: true })
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
        const covered = stack?.cells.get(cell)
        const now = covered ? covered.committed : rowid === undefined ? null : rows.cellAt(rowid, cell)
        if (sameSql(now, expected.get(cell) ?? null)) cells.set(cell, value)
      }
      return cells.size > 0 ? [{ ...write, cells }] : []
    })
  }

  #tell(steps: Steps): void {
    this.#steps.next(steps)
  }
}
