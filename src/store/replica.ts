import {
  allAtOnce,
  describeKey,
  keyId,
  withoutHidden,
  type Cells,
  type ChangeSet,
  type Key,
  type KeyId,
  type RowChange,
  type Steps,
} from '../changes/index.ts'
import type { SqlValue } from '../drivers/index.ts'
import { TransactionError } from '../errors/index.ts'
import type { RowObject } from '../schema/index.ts'
import { applyBase } from './apply-base.ts'
import type { Engine } from './engine.ts'
import type { Arrival } from './layers/arrival.ts'
import type { PendingLayers } from './layers/pending-layers.ts'
import type { CellId } from './rows/cell-id.ts'
import { rowsOf } from './rows/all-rows.ts'
import { compareStored, toRowChange, type NetRow } from './rows/cells.ts'
import { checkReservations } from './layers/reservations.ts'
import { encodeChanges, encodeInSteps } from './rows/encode-changes.ts'
import { keepSingletons } from './rows/kept-singletons.ts'
import { layOver } from './rows/rest-members.ts'
import type { TableRows } from './rows/table-rows.ts'
import { writeRows, writeRowsInSteps } from './rows/write-rows.ts'
import { validateInSteps, validateNets } from './sql/run-sql.ts'

/** What became of one row, with the row as it was and as it is: what filters and permissions look at. */
export interface RowTransition {
  readonly change: RowChange
  readonly id: KeyId
  /** Deep-frozen; `undefined` where the row was not there. */
  readonly before: RowObject | undefined
  readonly after: RowObject | undefined
  /** The stored cells of the row as it is: what a copy of it needs. `{}` where it is not there. */
  readonly cells: Cells
}

/** What committing changes came to. */
export interface Replicated {
  /** What changed, net, cascades included. */
  readonly changes: readonly RowChange[]
  readonly transitions: readonly RowTransition[]
}

/**
 * Commits changes that come from elsewhere as one transaction of this store, checked like any other by the schema and the
 * constraints. Throws ValidationError, ConstraintError and NotFoundError; then nothing has changed.
 */
export function commitChanges(engine: Engine, changes: readonly RowChange[]): Replicated {
  return allAtOnce(commitInSteps(engine, changes))
}

/**
 * The same in steps, between which nobody may read or write here. `check`, which is called before it commits, throws to
 * refuse.
 */
export function commitInSteps(
  engine: Engine,
  changes: readonly RowChange[],
  check?: (replicated: Replicated) => Steps<void>,
): Steps<Replicated> {
  return engine.writeInSteps({ origin: 'remote' }, function* () {
    yield* writeRowsInSteps(engine, yield* encodeInSteps(engine, changes))
    const nets = yield* engine.netsInSteps()
    yield* validateInSteps(nets)
    const replicated = yield* describe(nets)
    if (check) yield* check(replicated)
    return replicated
  })
}

/** What a transaction would do, and what it read. */
export interface Tried<Result> {
  readonly result: Result
  readonly changes: ChangeSet
  readonly reads: readonly { readonly table: string; readonly keys?: readonly Key[] }[]
}

/**
 * Runs a transaction on what is confirmed, below what is pending, and takes it back, whatever it does. Throws what it throws, and TransactionError where it read or
 * wrote what an open draft holds: nobody but its user has seen that.
 */
export function tryOut<Result>(
  engine: Engine,
  run: () => Result,
  label: string | undefined,
  pending: PendingLayers,
): Tried<Result> {
  let tried: Tried<Result> | undefined
  const taken = new Error('taken back')
  try {
    engine.write(undefined, { label }, () => {
      writeRows(engine, pending.planConfirmed())
      const mark = engine.mark
      engine.reads = new Map()
      const result = run()
      const nets = engine.netsSince(mark)
      keepSingletons(nets)
      assertNotCovered(engine, nets)
      if (!engine.layers.empty) checkReservations(engine.layers, undefined, nets, engine.byName)
      const changes = engine.changeSet(nets, { label })
      const reads = [...engine.reads].map(([rows, keys]) => ({
        table: rows.schema.model.name,
        ...(keys !== 'all' && { keys: [...keys] }),
      }))
      tried = { result, changes, reads }
      throw taken
    })
  } catch (error) {
    if (error !== taken) throw error
  } finally {
    engine.reads = undefined
  }
  return tried!
}

function assertNotCovered(engine: Engine, nets: readonly NetRow[]): void {
  const { layers } = engine
  if (layers.empty) return
  const written = nets.flatMap(({ rows, id, cells }) => {
    const stack = layers.get(rows, id)
    return stack && (stack.exists || [...cells.keys()].some((cell) => stack.cells.has(cell))) ? [stack] : []
  })
  const read = [...engine.reads!].flatMap(([rows, keys]) =>
    keys === 'all' ? [...layers.of(rows)] : [...keys].flatMap((key) => layers.get(rows, keyId(key)) ?? []),
  )
  const [stack] = [...written, ...read]
  if (!stack) return
  throw new TransactionError(
    `a transaction with confirm: 'server' used ${stack.rows.schema.model.name} ${describeKey(stack.key)}, which an open draft has changed: commit or cancel that first`,
  )
}

/**
 * Commits, without telling a server or the history, what was committed before. `committed` is told what that came to
 * before anyone else is: who hears of it may commit in turn. Throws what `commitChanges` throws.
 */
export function repeat(
  engine: Engine,
  arrivals: readonly Arrival[],
  committed: (changes: readonly RowChange[], meant: readonly RowChange[]) => void,
): void {
  const changes = arrivals.flatMap(({ table, key, op, after = {} }): RowChange[] => {
    const rows = engine.table(table)
    const stack = engine.layers.get(rows, keyId(key))
    const there = stack ? stack.committed : rows.rowidOf(key) !== undefined
    if (!there && op !== 'put') return []
    return [
      { table, key, op: op === 'put' ? (there ? 'update' : 'insert') : op, before: {}, after: withoutHidden(after) },
    ]
  })
  const { sync, onCommitted } = engine
  let told = false
  const restore = (): void => {
    if (told) return
    told = true
    engine.sync = sync
    engine.onCommitted = onCommitted
  }
  engine.onCommitted = () => undefined
  engine.sync = {
    pending: sync?.pending ?? false,
    covers: (rows, id) => sync?.covers(rows, id) ?? false,
    committed: (set, meant) => {
      restore()
      committed(set.changes, meant)
      return Promise.resolve()
    },
  }
  try {
    if (engine.layers.empty) commitChanges(engine, changes)
    else
      // Below the drafts: the user of this store has not written it.
      applyBase(engine, encodeChanges(engine, changes), {
        what: 'a takeover',
        origin: 'remote',
        take: false,
        commits: true,
      })
    if (!told) committed([], [])
  } finally {
    restore()
  }
}

/**
 * Commits changes once more, as far as their rows are there, as a transaction of one's own. Throws ValidationError and
 * ConstraintError; then nothing has changed.
 */
export function recommit(engine: Engine, changes: readonly RowChange[], label: string | undefined): void {
  engine.write(undefined, { label }, () => {
    const standing = changes.filter(
      ({ table, key, op }) => op === 'insert' || engine.table(table).rowidOf(key) !== undefined,
    )
    writeRows(engine, encodeChanges(engine, standing))
    validateNets(engine.netsSince(0))
  })
}

/**
 * What changes would do to the rows that they name, without doing it: cascades are not among them. Throws
 * ValidationError and NotFoundError for what can't be meant.
 */
export function previewChanges(engine: Engine, changes: readonly RowChange[]): RowTransition[] {
  return allAtOnce(previewInSteps(engine, changes))
}

/** The same in steps. */
export function* previewInSteps(engine: Engine, changes: readonly RowChange[]): Steps<RowTransition[]> {
  const transitions: RowTransition[] = []
  for (const { rows, key, id, op, cells } of yield* encodeInSteps(engine, changes)) {
    const now = op === 'insert' ? undefined : rows.storedOf(key)
    const next = op === 'delete' ? undefined : withCells(rows, now, cells)
    const before = now ?? new Array<SqlValue>(rows.schema.model.columns.length).fill(null)
    const net: NetRow = { rows, key, id, op, cells: compareStored(rows.schema.model, before, next) }
    transitions.push(new Transition(net, next, changes[transitions.length]!))
    yield
  }
  return transitions
}

function withCells(
  rows: TableRows,
  stored: readonly SqlValue[] | undefined,
  cells: ReadonlyMap<CellId, SqlValue>,
): SqlValue[] {
  const { model } = rows.schema
  const next = stored ? [...stored] : new Array<SqlValue>(model.columns.length).fill(null)
  return layOver(model, next, cells)
}

/** Takes rows that changed at some time, net, as transitions to how they are now. */
export function transitionsOf(engine: Engine, changes: readonly RowChange[]): RowTransition[] {
  return changes.map((change) => {
    const rows = engine.table(change.table)
    const now = rows.rowidOf(change.key) === undefined ? undefined : rows.storedOf(change.key)
    const before = encodeChanges(engine, [{ ...change, op: 'update', after: change.before }])[0]!.cells
    const net: NetRow = {
      rows,
      key: change.key,
      id: keyId(change.key),
      op: change.op,
      cells: new Map([...before].map(([cell, value]) => [cell, { before: value, after: null }])),
    }
    return new Transition(net, now, change)
  })
}

/** Every row of a table as a change that inserts it: its key and its stored cells, in no order or that of the keys. */
export function* storedRows(
  engine: Engine,
  table: string,
  order: 'any' | 'key' = 'any',
): Generator<readonly [Key, Cells]> {
  const rows = engine.table(table)
  for (const { key, cells } of rowsOf(rows, order)) {
    const id = keyId(key)
    yield [key, toRowChange({ rows, key, id, op: 'insert', cells }).after]
  }
}

function* describe(nets: readonly NetRow[]): Steps<Replicated> {
  const transitions: Transition[] = []
  for (const net of nets) {
    const stored = net.op === 'delete' ? undefined : net.rows.storedOf(net.key)
    transitions.push(new Transition(net, stored, toRowChange(net)))
    yield
  }
  return { changes: transitions.map(({ change }) => change), transitions }
}

/** Rows are decoded when somebody asks: most changes concern no filter. */
class Transition implements RowTransition {
  readonly change: RowChange
  readonly id: KeyId
  readonly #net: NetRow
  readonly #stored: readonly SqlValue[] | undefined
  #before: RowObject | undefined
  #after: RowObject | undefined

  constructor(net: NetRow, stored: readonly SqlValue[] | undefined, change: RowChange) {
    this.#net = net
    this.#stored = stored
    this.change = change
    this.id = net.id
  }

  get before(): RowObject | undefined {
    if (this.#net.op === 'insert') return undefined
    return (this.#before ??= decode(this.#net.rows, earlier(this.#net, this.#stored)))
  }

  get after(): RowObject | undefined {
    if (!this.#stored) return undefined
    return (this.#after ??= decode(this.#net.rows, this.#stored))
  }

  get cells(): Cells {
    if (!this.#stored) return {}
    if (this.change.op === 'insert') return this.change.after
    const { rows, key, id } = this.#net
    const cells = compareStored(rows.schema.model, undefined, this.#stored)
    return toRowChange({ rows, key, id, op: 'insert', cells }).after
  }
}

function decode(rows: TableRows, stored: readonly SqlValue[]): RowObject {
  return rows.schema.codec.decode(stored)
}

function earlier(net: NetRow, stored: readonly SqlValue[] | undefined): SqlValue[] {
  const { model } = net.rows.schema
  const before = stored ? [...stored] : new Array<SqlValue>(model.columns.length).fill(null)
  layOver(
    model,
    before,
    [...net.cells].map(([cell, change]) => [cell, change.before]),
  )
  for (const [n, column] of model.key.entries()) before[column.index] = net.rows.keyParameters(net.key)[n]!
  return before
}
