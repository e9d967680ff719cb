import { BehaviorSubject, defer, EMPTY, distinctUntilChanged, takeUntil, type Observable } from 'rxjs'
import type { ChangeSet } from '../changes/index.ts'
import { NotFoundError, TransactionError, RejectedError } from '../errors/index.ts'
import { readPath } from '../schema/index.ts'
import type { CellPlace, Commit, Conflict } from './api.ts'
import { DraftConflicts, lostObjectAt } from './draft-conflicts.ts'
import type { Engine } from './engine.ts'
import { hiddenBy } from './layers/blamed-drafts.ts'
import { issuesOf, underneath } from './layers/committed-rows.ts'
import { ROW, type Layer, type LayerConflict, type RowStack } from './layers/row-stack.ts'
import { makeWay, withdrawal } from './layers/collisions.ts'
import { checkCommit } from './layers/commit-checks.ts'
import type { CellId } from './rows/cell-id.ts'
import { pathOfCell, valueOfCell } from './rows/cells.ts'
import { writeRows } from './rows/write-rows.ts'
import { Workspace } from './workspace.ts'

let drafts = 0

/** A draft as callers use it, untyped: `Draft` in api.ts is its typed face. */
export class DraftHandle extends Workspace implements Layer {
  readonly id: string
  readonly label: string | undefined
  readonly stacks: Set<RowStack> = new Set()
  readonly #dirty = new BehaviorSubject(false)
  readonly #conflicts: DraftConflicts
  #touched = false
  #state: 'open' | 'committed' | 'cancelled' = 'open'

  constructor(engine: Engine, label: string | undefined) {
    super(engine)
    this.id = `draft-${++drafts}`
    this.label = label
    this.#conflicts = new DraftConflicts(engine, this)
  }

  get state(): 'open' | 'committed' | 'cancelled' {
    return this.#state === 'open' && this.engine.closed ? 'cancelled' : this.#state
  }

  get isDirty(): boolean {
    this.engine.assertOpen()
    return this.#isDirtyNow
  }

  get #isDirtyNow(): boolean {
    return this.#state === 'open' && this.engine.layers.isDirty(this)
  }

  get isDirty$(): Observable<boolean> {
    this.engine.assertOpen()
    return defer(() => {
      if (this.engine.closed) return EMPTY
      if (this.#state === 'open') this.#dirty.next(this.#isDirtyNow)
      return this.#dirty.pipe(distinctUntilChanged(), takeUntil(this.engine.closed$))
    })
  }

  get conflicts$(): Observable<readonly Conflict[]> {
    this.engine.assertOpen()
    return this.#conflicts.list$
  }

  changes(): ChangeSet {
    this.engine.assertOpen()
    return this.engine.changeSet(this.engine.layers.netsOf(this), { label: this.label }, this.id)
  }

  /** Makes the edits permanent. Throws ValidationError or ConstraintError; the draft stays open then. */
  commit(options?: { label?: string | undefined; ifUnchanged?: boolean | undefined } | null): Commit {
    this.assertUsable()
    const label = options?.label ?? this.label
    const { engine } = this
    const ifUnchanged = options?.ifUnchanged ?? false
    if (ifUnchanged && this.#conflicts.count > 0)
      throw new RejectedError(
        'conflict',
        'someone else has changed what the draft changes: keep or take each of its conflicts',
      )
    this.#conflicts.assertSaid()
    const nets = engine.layers.netsOf(this)
    checkCommit(engine, this, nets)
    this.#validate()
    const isShared = [...this.stacks].some(({ listedBy }) => listedBy.size > 1)
    // What the others show then may be a mixture that is not valid.
    if (isShared && !engine.inTransaction) makeWay(engine, () => engine.layers.planSinking(this), this)
    const committed = engine.changeSet(nets, { label }, this.id)
    engine.writeSettled(
      'draft.commit',
      () => writeRows(engine, engine.layers.planSinking(this)),
      (visible) => {
        engine.layers.sink(this)
        this.#end('committed')
        if (nets.length > 0) engine.onCommitted(committed)
        return {
          set: visible.length > 0 ? engine.changeSet(visible, { label }, this.id) : undefined,
          committed: nets.length > 0 ? committed : undefined,
          ifUnchanged,
        }
      },
    )
    return { id: this.id, changes: committed, confirmed: nets.length > 0 ? engine.confirmed : Promise.resolve() }
  }

  /** Each cell falls back to what lies below it now. */
  cancel(): void {
    if (this.state === 'cancelled') return
    this.assertUsable()
    const { engine } = this
    engine.settle('draft.cancel')
    const losses = withdrawal(engine, this)
    engine.writeSettled(
      'draft.cancel',
      () => writeRows(engine, losses.plan()),
      (visible) => {
        losses.take()
        this.#end('cancelled')
        return {
          set:
            visible.length > 0
              ? engine.changeSet(visible, { origin: 'cancel', label: this.label }, this.id)
              : undefined,
          committed: undefined,
        }
      },
    )
  }

  /** Keeps one's own value of a cell that someone else changed. Throws NotFoundError if there is no such conflict. */
  keep(cell: CellPlace): void {
    this.assertUsable()
    const [id, conflict] = this.#conflicts.find(cell)
    if (conflict.lost && conflict.cell === ROW)
      throw new NotFoundError(`${cell.table} ${String(cell.key)} is gone: insert it again to keep it`)
    if (conflict.lost) this.#putBack(cell, conflict)
    const takeBack = this.#conflicts.settle(id)
    // A transaction around it that is undone takes back what was kept.
    if (this.engine.inTransaction) this.engine.onEnd('rollback', takeBack)
  }

  /** Writes a value that was lost once more. */
  #putBack(cell: CellPlace, conflict: LayerConflict): void {
    const { stack, mine } = conflict
    const { model } = stack.rows.schema
    if (stack.rows.rowidOf(stack.key) === undefined)
      throw new NotFoundError(
        `${cell.table} ${String(cell.key)} is gone: take the other's change, or insert the row again`,
      )
    const object = lostObjectAt(conflict)
    // The object that is there has been put by someone, or by keeping a cell of it.
    if (object && readPath(stack.rows.get(stack.key), object.segments) !== undefined) return
    const value = object ? this.#conflicts.lostObject(conflict, object) : valueOfCell(model, conflict.cell, mine)
    this.engine.write(this, {}, () => {
      this.table(model.name).set(stack.key, pathOfCell(model, conflict.cell), value)
    })
  }

  /** Takes the other's value of a cell. Throws NotFoundError if there is no such conflict. */
  take(cell: CellPlace): void {
    this.assertUsable()
    const [id, conflict] = this.#conflicts.find(cell)
    if (conflict.lost) {
      this.#conflicts.settle(id)
      return
    }
    const { engine } = this
    const held = this.#conflicts.held().filter((other) => other !== id)
    // A row takes its cells along.
    const only = (stack: RowStack, at: CellId): boolean =>
      stack === conflict.stack && (conflict.cell === ROW || at === conflict.cell)
    engine.settle('draft.take')
    const losses = withdrawal(engine, this, only)
    engine.writeSettled(
      'draft.take',
      () => writeRows(engine, losses.plan()),
      (visible) => {
        losses.take()
        // What was taken, and what went along, is not in conflict any more.
        this.#conflicts.settle(id)
        this.#conflicts.forgetLost(held)
        const set =
          visible.length > 0 ? engine.changeSet(visible, { origin: 'cancel', label: this.label }, this.id) : undefined
        return { set, committed: undefined }
      },
    )
  }

  /** Told by the layers. */
  conflict(conflict: LayerConflict): void {
    this.#conflicts.record(conflict)
  }

  /** Told by the layers: something of this draft's entries may have changed. */
  touched(): void {
    // What is mine of a conflict may be another value now.
    this.#conflicts.touched()
    if (this.#touched || !this.#dirty.observed) return
    this.#touched = true
    this.engine.later(() => {
      this.#touched = false
      if (this.#state === 'open' && !this.engine.closed) this.#dirty.next(this.#isDirtyNow)
    })
  }

  override assertUsable(): void {
    this.engine.assertWritable()
    if (this.#state !== 'open') throw new TransactionError(`the draft was ${this.#state}: open another`)
  }

  protected override get layer(): Layer {
    return this
  }

  /** What is committed must be valid by itself: other drafts over the same rows may be what makes them valid to see. */
  #validate(): void {
    const wrong = [...this.stacks].flatMap((stack) => {
      if (!stack.disturbed) return []
      const exists = stack.exists?.of(this)?.value ?? (stack.committed ? 1 : 0)
      if (exists !== 1) return []
      const issues = issuesOf(
        stack,
        underneath(stack, (cell) => stack.cells.get(cell)?.committedWith(this)),
      )
      return issues.length > 0 ? [{ stack, issues }] : []
    })
    const [first] = wrong
    if (!first) return
    const all = wrong.flatMap(({ issues }) => issues)
    throw hiddenBy(all, first.stack, (_cell, covered) => covered.committedWith(this))
  }

  #end(state: 'committed' | 'cancelled'): void {
    this.#state = state
    this.engine.onDraftEnded(this.id)
    this.engine.later(() => {
      this.#dirty.next(false)
      this.#dirty.complete()
    })
    this.#conflicts.end()
  }
}
