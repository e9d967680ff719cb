import type { ChangeSet, Origin } from '../changes/index.ts'
import { sameSql } from '../schema/index.ts'
import type { Engine, WriteMeta } from './engine.ts'
import { checkBase } from './layers/commit-checks.ts'
import { checkCommittedRows } from './layers/covered-rows.ts'
import { underneath } from './layers/committed-rows.ts'
import { makeWay } from './layers/collisions.ts'
import type { RowWrite } from './layers/layer-stacks.ts'
import { checkReservations } from './layers/reservations.ts'
import type { RowStack } from './layers/row-stack.ts'
import { refuseCascades, refuseMixtures, refuseTaken } from './layers/undo-checks.ts'
import { compareStored, type NetRow } from './rows/cells.ts'
import { validateNets } from './sql/run-sql.ts'
import { byRow } from './rows/net-rows.ts'
import { writeRows } from './rows/write-rows.ts'

/** How a change of the base meets what is open above it. */
export interface BaseChange {
  readonly what: string
  readonly origin: Origin
  readonly label?: string | undefined
  /** Whether it shows at once where drafts cover it (the user's own undo), or stays below them (an arrival). */
  readonly take: boolean
  /** Whether it counts as committed here. */
  readonly commits: boolean
  /** What it undoes, or does again. */
  readonly undoes?: ChangeSet | undefined
}

/** Takes in what a server has confirmed. */
export function applyArrival(engine: Engine, writes: readonly RowWrite[], label?: string): void {
  outsideReferences(engine, () =>
    applyBase(engine, writes, { what: 'an arrival', origin: 'remote', label, take: false, commits: false }),
  )
}

/**
 * Runs what takes in what a server has confirmed. It has judged the references already, and a copy that holds only a part
 * of the database can't: foreign keys are not checked meanwhile, and what they cascaded to comes along.
 */
export function outsideReferences(engine: Engine, run: () => void): void {
  engine.settle('an arrival')
  // Who is told of it may write in answer: with foreign keys.
  engine.holdEmissions(() => {
    engine.driver.exec('PRAGMA foreign_keys = OFF')
    try {
      run()
    } finally {
      engine.settle('an arrival')
      engine.driver.exec('PRAGMA foreign_keys = ON')
    }
  })
}

/**
 * Changes what is committed, below or through whatever is open. Returns what was committed, net. Throws ValidationError
 * and ConstraintError for the user's own; then nothing has changed.
 */
export function applyBase(engine: Engine, writes: readonly RowWrite[], change: BaseChange): ChangeSet | undefined {
  const { layers } = engine
  const meta: WriteMeta = { origin: change.origin, label: change.label }
  let committed: ChangeSet | undefined
  if (!change.take) {
    engine.settle(change.what)
    makeWay(engine, () => layers.planBase(writes, false))
  }
  engine.writeSettled(
    change.what,
    () => {
      const planned = layers.planBase(writes, change.take)
      if (change.take) refuseTaken(engine, planned)
      writeRows(engine, planned)
      if (change.origin === 'import') validateNets(uncovered(engine))
      if (!change.take) return
      const nets = engine.netsSince(0)
      refuseCascades(engine, nets, writes)
      checkReservations(layers, undefined, [...nets, ...underDrafts(engine, writes)], engine.byName)
      if (!layers.empty) checkBase(engine, writes)
      // Where a draft lies over a row, what is committed must be valid, not the mixture that is seen.
      checkCommittedRows(layers, nets)
      refuseMixtures(engine, nets)
      validateNets(uncovered(engine, nets))
    },
    (visible) => {
      const nets = layers.committedNets(visible, [])
      const set = visible.length > 0 ? engine.changeSet(visible, meta) : undefined
      committed = layers.empty ? set : engine.changeSet(mergeCovered(engine, nets, writes), meta)
      layers.changeBase(writes, change.take)
      // What cascades did beyond what was asked.
      layers.recordBase(notAsked(visible, writes), [])
      const isCommit = change.commits && committed && committed.changes.length > 0
      return { set, committed: isCommit ? committed : undefined, undoes: change.undoes }
    },
  )
  return committed
}

/** What was written where no draft lies over it. */
function uncovered(engine: Engine, nets: readonly NetRow[] = engine.netsSince(0)): NetRow[] {
  return nets.filter((net) => !engine.layers.get(net.rows, net.id))
}

/** What changed below drafts without being seen is committed as well. */
function mergeCovered(
  engine: Engine,
  nets: ReturnType<Engine['netsSince']>,
  writes: readonly RowWrite[],
): ReturnType<Engine['netsSince']> {
  const seen = new Map(nets.map((net) => [net.rows, new Map<unknown, (typeof nets)[number]>()]))
  for (const net of nets) seen.get(net.rows)!.set(net.id, net)
  const merged = [...nets]
  for (const write of writes) {
    const stack = engine.layers.get(write.rows, write.id)
    if (!stack) continue
    const known = seen.get(write.rows)?.get(write.id)
    if (write.op === 'delete') {
      // A draft has deleted it already: nothing is seen to go.
      if (!known && stack.committed) merged.push(deletion(stack))
      continue
    }
    const cells = new Map(known?.cells)
    for (const [cell, value] of engine.layers.whole(stack, write)) {
      const before = engine.layers.committedCell(write.rows, write.key, cell)
      if (!cells.has(cell) && !sameSql(before, value)) cells.set(cell, { before, after: value })
    }
    if (cells.size === (known?.cells.size ?? 0)) continue
    const net = { rows: write.rows, key: write.key, id: write.id, op: known?.op ?? ('update' as const), cells }
    if (known) merged[merged.indexOf(known)] = net
    else merged.push(net)
  }
  return merged
}

/** What cascades did: to rows that were not asked for, or that were to be changed and have gone. */
function notAsked(nets: readonly NetRow[], writes: readonly RowWrite[]): NetRow[] {
  const asked = byRow(writes)
  return nets.filter((net) => {
    const wanted = asked(net)?.op
    return wanted === undefined || (net.op === 'delete' && wanted !== 'delete')
  })
}

/** What changes below drafts without being seen: rows put where a draft has one of the same key, and rows deleted where a draft has. */
function underDrafts({ layers }: Engine, writes: readonly RowWrite[]): NetRow[] {
  return writes.flatMap(({ rows, key, id, op }): NetRow[] => {
    const stack = layers.get(rows, id)
    if (!stack) return []
    if (op === 'insert' && !stack.committed) return [{ rows, key, id, op: 'update', cells: new Map() }]
    return op === 'delete' && stack.committed && !stack.visible() ? [{ rows, key, id, op, cells: new Map() }] : []
  })
}

function deletion(stack: RowStack): NetRow {
  const { rows, key, id } = stack
  const stored = underneath(stack, (cell) => stack.cells.get(cell)?.committed)
  return { rows, key, id, op: 'delete', cells: compareStored(rows.schema.model, stored, undefined) }
}
