import { NotFoundError } from '../../../errors/index.ts'
import { authorOf } from '../../author.ts'
import type { LiveDatabase } from '../../live-database.ts'
import { rollbackBody } from '../body-schemas.ts'
import { withDatabase, type Answer } from '../call.ts'
import { readJson } from '../read-body.ts'

/** Restores an earlier state, as a new transaction that everyone connected sees. */
export const rollBack: Answer = async (call) => {
  const { core, user, name } = call
  await core.authorize(user, 'rollback', name)
  const body = await readJson<{ readonly to: number | string; readonly label?: string }>(call, rollbackBody, 64 * 1024)
  return withDatabase(call, async (database) => {
    const to = await sequenceOf(database, body.to)
    const file = await database.fileAt(to)
    const label = (body.label ?? `back to ${typeof body.to === 'string' ? body.to : `state ${to}`}`).slice(0, 1_000)
    const sequence = await database.replace(file, { kind: 'rollback', label, ...authorOf(user) })
    return Response.json({ sequence, to })
  })
}

async function sequenceOf(database: LiveDatabase, to: number | string): Promise<number> {
  if (typeof to === 'number') return to
  const snapshot = (await database.snapshots()).findLast(({ label }) => label === to)
  if (!snapshot) throw new NotFoundError(`database '${database.name}' has no snapshot with the label '${to}'`)
  return snapshot.sequence
}
