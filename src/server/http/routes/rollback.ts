import { NotFoundError } from '../../../errors/index.ts'
import { authorOf } from '../../author.ts'
import type { LiveDatabase } from '../../live-database.ts'
import { answerWithProgress } from '../answer-with-progress.ts'
import { rollbackBody } from '../body-schemas.ts'
import { withDatabase, type Answer } from '../call.ts'
import type { Ongoing } from '../ongoing.ts'
import { readJson } from '../read-body.ts'

/** Restores an earlier state, as a new transaction that everyone connected sees. */
export const rollBack: Answer = async (call) => {
  const { core, user, name } = call
  await core.authorize(user, 'rollback', name)
  const body = await readJson<{ readonly to: number | string; readonly label?: string }>(call, rollbackBody, 64 * 1024)
  const act = (ongoing: Ongoing): Promise<Response> =>
    withDatabase(call, async (database) => {
      const to = await sequenceOf(database, body.to)
      const label = (body.label ?? `back to ${typeof body.to === 'string' ? body.to : `state ${to}`}`).slice(0, 1_000)
      const sequence = await database.replace(to, { kind: 'rollback', label, ...authorOf(user) }, ongoing)
      return Response.json({ sequence, to })
    })
  return answerWithProgress(call, act)
}

async function sequenceOf(database: LiveDatabase, to: number | string): Promise<number> {
  if (typeof to === 'number') return to
  const snapshot = (await database.snapshots()).findLast(({ label }) => label === to)
  if (!snapshot) throw new NotFoundError(`database '${database.name}' has no snapshot with the label '${to}'`)
  return snapshot.sequence
}
