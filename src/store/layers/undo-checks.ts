import { describeKey, keyId, type Key, type KeyId } from '../../changes/index.ts'
import { ConstraintError } from '../../errors/index.ts'
import type { Reference } from '../../schema/index.ts'
import type { Engine } from '../engine.ts'
import type { NetRow } from '../rows/cells.ts'
import { byRow } from '../rows/net-rows.ts'
import type { TableRows } from '../rows/table-rows.ts'
import { issuesOf } from './committed-rows.ts'
import type { RowWrite } from './layer-stacks.ts'
import { PlannedValues } from './planned-values.ts'
import { describe } from './reservations.ts'
import { holderOf } from './holder-of.ts'

/**
 * An undo takes no rows away but those of its step: rows that refer to them are somebody's work. Throws ConstraintError
 * naming the first, and the draft where it is in one only.
 */
export function refuseCascades(engine: Engine, nets: readonly NetRow[], writes: readonly RowWrite[]): void {
  const asked = byRow(writes)
  const others = nets.filter((net) => net.op === 'delete' && asked(net)?.op !== 'delete')
  if (others.length === 0) return
  const found = others.map((net) => ({ net, gone: goneParent(engine, net) }))
  // The row that the step itself would take away says more than one of the cascade's.
  const isDirect = ({ gone }: (typeof found)[number]): boolean => gone !== undefined && asked(gone) !== undefined
  const { net, gone } = found.find(isDirect) ?? found[0]!
  const { model } = net.rows.schema
  const draft = holderOf(engine.layers.get(net.rows, net.id), gone?.reference.columns)
  const parent = gone ? `${gone.reference.table} ${describeKey(gone.key)}` : 'a row'
  const child = `${model.name} ${describeKey(net.key)}${draft ? ` of ${describe(draft)}` : ''}`
  throw new ConstraintError({
    constraint: 'foreignKey',
    table: model.name,
    columns: gone?.reference.columns.map(({ path }) => path) ?? [],
    ...(draft && { draftId: draft.id }),
    message: `${parent} can't be taken away: ${child}, which is not of this step, refers to it and would go with it`,
  })
}

/** What a row that goes by a cascade referred to. */
function goneParent(
  engine: Engine,
  net: NetRow,
): { reference: Reference; rows: TableRows; id: KeyId; key: Key } | undefined {
  for (const reference of net.rows.schema.model.references) {
    const parts = reference.columns.map(({ index }) => net.cells.get(index)?.before ?? null)
    if (parts.includes(null)) continue
    const parents = engine.table(reference.table)
    const key = parents.keyFrom(parts)
    if (parents.rowidOf(key) === undefined) return { reference, rows: parents, id: keyId(key), key }
  }
  return undefined
}

/** A unique value that a row has in a draft only is given back once the draft has ended. Throws ConstraintError naming it. */
export function refuseTaken(engine: Engine, writes: readonly RowWrite[]): void {
  if (engine.layers.empty) return
  const values = new PlannedValues(writes)
  for (const write of writes)
    for (const other of values.sameAs(write)) {
      const draft = holderOf(engine.layers.get(write.rows, other.id), other.columns)
      if (!draft) continue
      const { name } = write.rows.schema.model
      const columns = other.columns.map(({ path }) => path)
      throw new ConstraintError({
        constraint: 'unique',
        table: name,
        columns,
        draftId: draft.id,
        message: `${name} ${describeKey(write.key)}: ${name} ${describeKey(other.key)} has the same ${columns.join(', ')} in ${describe(draft)} only: commit or cancel it first`,
      })
    }
}

/** What is seen where a draft lies over a row that an undo changes must be valid too. Throws ConstraintError naming the draft. */
export function refuseMixtures(engine: Engine, nets: readonly NetRow[]): void {
  for (const net of nets) {
    const stack = net.op === 'delete' ? undefined : engine.layers.get(net.rows, net.id)
    const [draft] = stack?.layers() ?? []
    const rowid = net.rows.rowidOf(net.key)
    if (!stack || !draft || rowid === undefined) continue
    const [issue] = issuesOf(stack, net.rows.stored(rowid))
    if (!issue) continue
    throw new ConstraintError({
      constraint: 'draft',
      table: issue.table,
      columns: [issue.path],
      draftId: draft.id,
      message: `${issue.table} ${describeKey(net.key)}: '${issue.path}' ${issue.message} with what ${describe(draft)} has changed: commit or cancel it first`,
    })
  }
}
