import { BehaviorSubject, defer, EMPTY, distinctUntilChanged, takeUntil, type Observable } from 'rxjs'
import {
  equalValues,
  formatPath,
  keyId,
  parsePath,
  type CellValue,
  type ChangeSet,
  type Key,
} from '../changes/index.ts'
import { NotFoundError, TransactionError, ValidationError, RejectedError } from '../errors/index.ts'
import { isObject, type Column, type RowObject } from '../schema/index.ts'
import type { CellPlace, Commit, Conflict } from './api.ts'
import type { Engine } from './engine.ts'
import { issuesOf, underneath } from './layers/committed-rows.ts'
import { ROW, type Layer, type LayerConflict, type RowStack } from './layers/row-stack.ts'
import { withdrawal } from './layers/collisions.ts'
import { checkCommit } from './layers/commit-checks.ts'
import type { CellId } from './rows/cell-id.ts'
import { pathOfCell, valueOfCell } from './rows/cells.ts'
import { guardsOf, presenceAt } from './rows/objects.ts'
import { readPath, replaceAt } from './rows/place.ts'
import { writeRows } from './rows/write-rows.ts'
import { Workspace } from './workspace.ts'

let drafts = 0

/** A draft as callers use it, untyped: `Draft` in api.ts is its typed face. */
export class DraftHandle extends Workspace implements Layer {
  readonly id: string
  readonly label: string | undefined
  readonly stacks: Set<RowStack> = new Set()
  readonly #dirty = new BehaviorSubject(false)
  readonly #conflicts = new Map<string, LayerConflict>()
  readonly #conflicts$ = new BehaviorSubject<readonly Conflict[]>([])
  #touched = false
  #conflicting = false
  #state: 'open' | 'committed' | 'cancelled' = 'open'

  constructor(engine: Engine, label: string | undefined) {
    super(engine)
    this.id = `draft-${++drafts}`
    this.label = label
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
    return this.#conflicts$.pipe(takeUntil(this.engine.closed$))
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
    this.#forgetReplaced()
    if (ifUnchanged && this.#conflicts.size > 0)
      throw new RejectedError(
        'conflict',
        'someone else has changed what the draft changes: keep or take each of its conflicts',
      )
    const nets = engine.layers.netsOf(this)
    checkCommit(engine, this, nets)
    const committed = engine.changeSet(nets, { label }, this.id)
    engine.writeSettled(
      'draft.commit',
      () => {
        this.#validate()
        writeRows(engine, engine.layers.planSinking(this))
      },
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
    const [id, conflict] = this.#find(cell)
    if (conflict.lost && conflict.cell !== ROW) {
      const { stack } = conflict
      const value = valueOfCell(stack.rows.schema.model, conflict.cell, conflict.mine)
      if (stack.rows.rowidOf(stack.key) === undefined)
        throw new NotFoundError(
          `${cell.table} ${String(cell.key)} is gone: take the other's change, or insert the row again`,
        )
      const object = presenceAt(stack.rows.schema.model, conflict.cell)
      // The object that is there has been put by someone, or by keeping a cell of it.
      if (!object || !isObject(value) || readPath(stack.rows.get(stack.key), object.segments) === undefined)
        this.engine.write(this, {}, () => {
          this.table(stack.rows.schema.model.name).set(
            stack.key,
            pathOfCell(stack.rows.schema.model, conflict.cell),
            object && isObject(value) ? this.#lostObject(conflict, object) : value,
          )
        })
    } else if (conflict.lost)
      throw new NotFoundError(`${cell.table} ${String(cell.key)} is gone: insert it again to keep it`)
    const recorded = this.#conflicts.get(id)!
    this.#conflicts.delete(id)
    // A transaction around it that is undone takes back what was kept.
    if (this.engine.inTransaction)
      this.engine.onEnd('rollback', () => {
        if (this.#state === 'open' && !this.#conflicts.has(id)) this.conflict(recorded)
      })
    this.engine.enqueue(() => this.#conflicts$.next(this.#shown()))
  }

  /** Takes the other's value of a cell. Throws NotFoundError if there is no such conflict. */
  take(cell: CellPlace): void {
    this.assertUsable()
    const [id, conflict] = this.#find(cell)
    if (!conflict.lost) {
      const { engine } = this
      const held = [...this.#conflicts].filter(([, one]) => !this.#now(one).lost)
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
          this.#conflicts.delete(id)
          for (const [other, one] of held) if (this.#now(one).lost) this.#conflicts.delete(other)
          return {
            set:
              visible.length > 0
                ? engine.changeSet(visible, { origin: 'cancel', label: this.label }, this.id)
                : undefined,
            committed: undefined,
          }
        },
      )
    } else this.#conflicts.delete(id)
    this.engine.enqueue(() => this.#conflicts$.next(this.#shown()))
  }

  /** Told by the layers. */
  conflict(conflict: LayerConflict): void {
    const { name, key } = conflict.stack.rows.schema.model
    // It goes and comes with its row.
    if (key.some(({ index }) => index === conflict.cell)) return
    this.#conflicts.set(`${name}\0${String(conflict.stack.id)}\0${String(conflict.cell)}`, conflict)
    this.#tellConflicts()
  }

  #tellConflicts(): void {
    if (this.#conflicting) return
    this.#conflicting = true
    this.engine.later(() => {
      this.#conflicting = false
      if (this.#state !== 'open') return
      const shown = this.#shown()
      if (!equalValues(this.#conflicts$.value as never, shown as never)) this.#conflicts$.next(shown)
    })
  }

  /** Told by the layers: something of this draft's entries may have changed. */
  touched(): void {
    // What is mine of a conflict may be another value now.
    if (this.#conflicts.size > 0) this.#tellConflicts()
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
    const issues = [...this.stacks].flatMap((stack) => {
      if (!stack.disturbed) return []
      const exists = stack.exists?.of(this)?.value ?? (stack.committed ? 1 : 0)
      if (exists !== 1) return []
      return issuesOf(
        stack,
        underneath(stack, (cell) => stack.cells.get(cell)?.committedWith(this)),
      )
    })
    if (issues.length > 0) throw new ValidationError(issues)
  }

  #end(state: 'committed' | 'cancelled'): void {
    this.#state = state
    this.#conflicts.clear()
    this.engine.onDraftEnded(this.id)
    this.engine.later(() => {
      this.#dirty.next(false)
      this.#conflicts$.next([])
      this.#dirty.complete()
      this.#conflicts$.complete()
    })
  }

  #find(cell: CellPlace): [string, LayerConflict] {
    if (typeof cell !== 'object' || cell === null || (typeof cell.path !== 'string' && !Array.isArray(cell.path)))
      throw new NotFoundError('keep and take expect a conflict of the draft: { table, key, path }')
    const path = formatPath(parsePath(cell.path))
    this.#forgetReplaced()
    for (const [id, recorded] of this.#conflicts) {
      const conflict = this.#now(recorded)
      const shown = this.#show(conflict)
      if (shown.table === cell.table && conflict.stack.id === keyId(cell.key as Key) && shown.path === path)
        return [id, conflict]
    }
    throw new NotFoundError(`the draft has no conflict at ${cell.table} ${String(cell.key)} '${path}'`)
  }

  /** An object that was lost, as the conflicts say what was in it. */
  #lostObject({ stack }: LayerConflict, object: Column): RowObject {
    const { model } = stack.rows.schema
    let lost: CellValue = {}
    for (const recorded of this.#conflicts.values()) {
      const { cell, mine, stack: other } = this.#now(recorded)
      if (other.rows !== stack.rows || other.id !== stack.id || cell === ROW || presenceAt(model, cell)) continue
      if (!guardsOf(model, cell).includes(object) || mine === null) continue
      const path = pathOfCell(model, cell)
      const inner = parsePath(path).map(String).slice(object.segments.length)
      lost = replaceAt(lost, inner, 0, valueOfCell(model, cell, mine), path)
    }
    return lost as RowObject
  }

  /** Forgets the cells of rows that others have deleted, and that the draft has put anew: only the row is in conflict then. */
  #forgetReplaced(): void {
    for (const [
      id,
      {
        stack: { rows, id: row },
        cell,
      },
    ] of this.#conflicts) {
      const exists = this.engine.layers.get(rows, row)?.exists
      if (cell !== ROW && exists?.committed === 0 && exists.of(this)?.value === 1) this.#conflicts.delete(id)
    }
  }

  /** A conflict as it is now: the draft may have written the cell again since. */
  #now(recorded: LayerConflict): LayerConflict {
    const { cell } = recorded
    const stack = this.engine.layers.get(recorded.stack.rows, recorded.stack.id)
    const covered = cell === ROW ? stack?.exists : stack?.cells.get(cell)
    const mine = covered?.of(this)
    if (!stack || !covered || !mine) return { ...recorded, lost: true }
    return { stack, cell, mine: mine.value, theirs: covered.committed, lost: false }
  }

  #show({ stack, cell, mine, theirs }: LayerConflict): Conflict {
    const { model } = stack.rows.schema
    const place = { table: model.name, key: stack.key }
    if (cell === ROW) return { ...place, path: '', mine: mine === 1, theirs: theirs === 1 }
    return {
      ...place,
      path: pathOfCell(model, cell),
      mine: valueOfCell(model, cell, mine),
      theirs: valueOfCell(model, cell, theirs),
    }
  }

  #shown(): Conflict[] {
    this.#forgetReplaced()
    return [...this.#conflicts.values()].map((conflict) => this.#show(this.#now(conflict)))
  }
}
