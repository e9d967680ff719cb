import { BehaviorSubject, takeUntil, type Observable } from 'rxjs'
import { describeKey, equalValues, keyId, normalPath, parsePath, type CellValue, type Key } from '../changes/index.ts'
import type { SqlValue } from '../drivers/index.ts'
import { ConstraintError, NotFoundError } from '../errors/index.ts'
import { isObject, replaceAt, sameSql, type Column, type RowObject } from '../schema/index.ts'
import type { CellPlace, Conflict } from './api.ts'
import type { Engine } from './engine.ts'
import { ROW, rowOf, type Layer, type LayerConflict, type RowStack } from './layers/row-stack.ts'
import type { CellId } from './rows/cell-id.ts'
import { pathOfCell, valueOfCell } from './rows/cells.ts'
import { guardsOf, presenceAt } from './rows/objects.ts'

/** Names a conflict within its draft. */
export type ConflictId = string

/**
 * The conflicts of one draft: cells that someone else has changed below it, or taken from it. They are recorded once, and
 * listed by what the draft has and what lies below at the moment: where both are equal, or what lies below is back at what
 * it was, there is none to deal with.
 */
export class DraftConflicts {
  readonly #engine: Engine
  readonly #draft: Layer
  readonly #recorded = new Map<ConflictId, LayerConflict>()
  readonly #list$ = new BehaviorSubject<readonly Conflict[]>([])
  /** Rows that were taken out of view whole, of which nobody was told but by the list. */
  readonly #withdrawn = new Map<string, RowStack>()
  #telling = false
  #ended = false

  constructor(engine: Engine, draft: Layer) {
    this.#engine = engine
    this.#draft = draft
  }

  get list$(): Observable<readonly Conflict[]> {
    return this.#list$.pipe(takeUntil(this.#engine.closed$))
  }

  /** How many there are to deal with. */
  get count(): number {
    return this.#listed().length
  }

  /** Takes in what the layers tell. */
  record(conflict: LayerConflict): void {
    const { stack, cell, lost } = conflict
    // It goes and comes with its row.
    if (stack.rows.schema.model.key.some(({ index }) => index === cell)) return
    const row = rowOf(stack)
    const id = `${row}\0${String(cell)}`
    const known = this.#recorded.get(id)
    this.#recorded.set(id, known ? { ...conflict, since: known.since } : conflict)
    if (lost) this.#engine.layers.watch(this.#draft, stack)
    if (conflict.withdrawn) this.#withdrawn.set(row, stack)
    this.touched()
  }

  /** Something of the draft's entries, or of what lies below them, may have changed. */
  touched(): void {
    if (this.#telling || this.#recorded.size === 0) return
    this.#telling = true
    this.#engine.later(() => {
      this.#telling = false
      if (this.#ended) return
      const list = this.#list()
      if (!equalValues(this.#list$.value as never, list as never)) this.#list$.next(list)
    })
  }

  /** The conflict of a cell. Throws NotFoundError if there is none. */
  find(cell: CellPlace): [ConflictId, LayerConflict] {
    if (typeof cell !== 'object' || cell === null || (typeof cell.path !== 'string' && !Array.isArray(cell.path)))
      throw new NotFoundError('keep and take expect a conflict of the draft: { table, key, path }')
    const path = normalPath(cell.path)
    const isMeant = ({ stack, cell: at }: LayerConflict): boolean =>
      stack.rows.schema.model.name === cell.table &&
      stack.id === keyId(cell.key as Key) &&
      (at === ROW ? '' : pathOfCell(stack.rows.schema.model, at)) === path
    const listed = this.#listed()
    const found = listed.find(([, conflict]) => isMeant(conflict)) ?? this.#unlisted(listed, isMeant)
    if (found) return found
    throw new NotFoundError(`the draft has no conflict at ${cell.table} ${String(cell.key)} '${path}'`)
  }

  /**
   * A conflict that may be meant without being listed: of a cell that was lost, and that keeping the object around it has
   * written again; of an object that both sides have put there, with the cells in it.
   */
  #unlisted(
    listed: readonly [ConflictId, LayerConflict][],
    isMeant: (conflict: LayerConflict) => boolean,
  ): [ConflictId, LayerConflict] | undefined {
    const found = [...this.#recorded].find(([, conflict]) => isMeant(conflict))
    if (!found) return undefined
    const [id, recorded] = found
    const now = this.#now(recorded)
    const object = presenceAt(now.stack.rows.schema.model, now.cell)
    const isWithin = ({ stack, cell }: LayerConflict): boolean =>
      stack.id === now.stack.id && guardsOf(stack.rows.schema.model, cell).includes(object!)
    const isBack = recorded.lost && !now.lost
    return isBack || (object && listed.some(([, one]) => isWithin(one))) ? [id, now] : undefined
  }

  /** Those whose cells the draft still holds. */
  held(): readonly ConflictId[] {
    return [...this.#recorded].filter(([, one]) => !this.#now(one).lost).map(([id]) => id)
  }

  /** Of these, forgets those whose cells the draft holds no more: they went along. */
  forgetLost(ids: readonly ConflictId[]): void {
    for (const id of ids) if (this.#now(this.#recorded.get(id)!).lost) this.#recorded.delete(id)
  }

  /** A conflict has been dealt with. Returns what takes that back. */
  settle(id: ConflictId): () => void {
    const recorded = this.#recorded.get(id)!
    this.#recorded.delete(id)
    this.#withdrawn.delete(rowOf(recorded.stack))
    this.#engine.enqueue(() => this.#list$.next(this.#list()))
    return () => {
      if (!this.#ended && !this.#recorded.has(id)) this.record(recorded)
    }
  }

  /** Says once, by a ConstraintError, that rows of the draft were taken out of view and won't be in what it commits. */
  assertSaid(): void {
    const withdrawn = [...this.#withdrawn.values()]
    this.#withdrawn.clear()
    // Others have been put there, or written, again.
    const gone = withdrawn.find(({ rows, id }) => !this.#engine.layers.get(rows, id)?.layers().has(this.#draft))
    if (!gone) return
    const { name } = gone.rows.schema.model
    throw new ConstraintError({
      constraint: 'draft',
      table: name,
      columns: [],
      draftId: this.#draft.id,
      message: `${name} ${describeKey(gone.key)}: what the draft has of it was taken out of view, as it can't be with what others have changed (see conflicts$). Write it again, or commit once more without it`,
    })
  }

  /** An object that was lost, as the conflicts say what was in it. */
  lostObject({ stack }: LayerConflict, object: Column): RowObject {
    const { model } = stack.rows.schema
    let lost: CellValue = {}
    for (const recorded of this.#recorded.values()) {
      const { cell, mine, stack: other } = this.#now(recorded)
      if (other.rows !== stack.rows || other.id !== stack.id || cell === ROW || presenceAt(model, cell)) continue
      if (!guardsOf(model, cell).includes(object) || mine === null) continue
      const path = pathOfCell(model, cell)
      const inner = parsePath(path).map(String).slice(object.segments.length)
      lost = replaceAt(lost, inner, 0, valueOfCell(model, cell, mine), path)
    }
    return lost as RowObject
  }

  end(): void {
    this.#ended = true
    this.#recorded.clear()
    this.#engine.layers.unwatch(this.#draft)
    this.#engine.later(() => {
      this.#list$.next([])
      this.#list$.complete()
    })
  }

  #list(): Conflict[] {
    return this.#listed().map(([, conflict]) => show(conflict))
  }

  #listed(): [ConflictId, LayerConflict][] {
    this.#forgetReplaced()
    return [...this.#recorded].flatMap(([id, recorded]): [ConflictId, LayerConflict][] => {
      const now = this.#now(recorded)
      const { mine, theirs, since, lost } = now
      return sameSql(mine, theirs) || (!lost && sameSql(since, theirs)) ? [] : [[id, now]]
    })
  }

  /** Forgets the cells of rows that others have deleted, and that the draft has put anew: only the row is in conflict then. */
  #forgetReplaced(): void {
    for (const [id, { stack, cell }] of this.#recorded) {
      const exists = this.#engine.layers.get(stack.rows, stack.id)?.exists
      if (cell !== ROW && exists?.committed === 0 && exists.of(this.#draft)?.value === 1) this.#recorded.delete(id)
    }
  }

  /** A conflict as it is now: the draft may have written the cell again since, and others what lies below. */
  #now(recorded: LayerConflict): LayerConflict {
    const { cell } = recorded
    const { rows, id } = recorded.stack
    const stack = this.#engine.layers.get(rows, id)
    const covered = cell === ROW ? stack?.exists : stack?.cells.get(cell)
    const mine = covered?.of(this.#draft)
    if (!stack || !covered || !mine) return { ...recorded, theirs: this.#below(recorded.stack, cell), lost: true }
    return { stack, cell, mine: mine.value, theirs: covered.committed, since: recorded.since, lost: false }
  }

  /** What is committed of a cell, whoever holds it. */
  #below({ rows, key, id }: RowStack, cell: CellId): SqlValue {
    if (cell !== ROW) return this.#engine.layers.committedCell(rows, key, cell)
    const stack = this.#engine.layers.get(rows, id)
    return (stack ? stack.committed : rows.rowidOf(key) !== undefined) ? 1 : 0
  }
}

function show({ stack, cell, mine, theirs }: LayerConflict): Conflict {
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

/** Whether a conflict is of a whole object that was lost: its presence, and that it was there. */
export function lostObjectAt({ stack, cell, mine }: LayerConflict): Column | undefined {
  const { model } = stack.rows.schema
  const object = presenceAt(model, cell)
  return object && isObject(valueOfCell(model, cell, mine)) ? object : undefined
}
