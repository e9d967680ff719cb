import { withDatabase, type Answer } from '../call.ts'
import { snapshotBody } from '../body-schemas.ts'
import { readJson } from '../read-body.ts'

export const listSnapshots: Answer = async (call) => {
  const { core, user, name } = call
  await core.authorize(user, 'history', name)
  const snapshots = await withDatabase(call, (database) => database.snapshots())
  return Response.json({ snapshots: snapshots.map(({ sequence, label, at, size }) => ({ sequence, label, at, size })) })
}

/** Puts the state aside. One that is there already with the same label, or has one where none is asked for, stays. */
export const createSnapshot: Answer = async (call) => {
  const { core, user, name } = call
  await core.authorize(user, 'snapshot', name)
  const { label } = await readJson<{ readonly label?: string }>(call, snapshotBody, 64 * 1024)
  return withDatabase(call, async (database) => {
    const { made, ...snapshot } = await database.snapshot(label)
    return Response.json(snapshot, { status: made ? 201 : 200 })
  })
}
