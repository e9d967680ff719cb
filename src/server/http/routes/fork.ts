import { authorOf } from '../../author.ts'
import { assertDatabaseName } from '../../storage/names.ts'
import { forkBody } from '../body-schemas.ts'
import { withDatabase, type Answer } from '../call.ts'
import { readJson } from '../read-body.ts'

/** Makes a new database from the state of this one, now or at a point in its history. */
export const forkDatabase: Answer = async (call) => {
  const { core, user, name, files } = call
  await core.authorize(user, 'fork', name)
  const body = await readJson<{ readonly name: string; readonly at?: number }>(call, forkBody, 64 * 1024)
  assertDatabaseName(body.name)
  await core.authorize(user, 'create', body.name)
  // What the server keeps in the file stays behind: the transactions of another database are not known in this one.
  const { bytes, sequence } = await withDatabase(call, (database) => files.get(database, body.at))
  const from = { database: name, sequence }
  await core.databases.create(body.name, { bytes, origin: from, author: authorOf(user) })
  return Response.json({ name: body.name, sequence: 1, from }, { status: 201 })
}
