import { authorOf } from '../../author.ts'
import { relayMade } from '../../relay/index.ts'
import { assertDatabaseName } from '../../names.ts'
import { answerWithProgress } from '../answer-with-progress.ts'
import { forkBody } from '../body-schemas.ts'
import { withDatabase, type Answer } from '../call.ts'
import { readJson } from '../read-body.ts'

/** Makes a new database from the state of this one, now or at a point in its history. */
export const forkDatabase: Answer = async (call) => {
  const { core, user, name, relay } = call
  await core.authorize(user, 'fork', name)
  const body = await readJson<{ readonly name: string; readonly at?: number }>(call, forkBody, 64 * 1024)
  assertDatabaseName(body.name)
  await core.authorize(user, 'create', body.name)
  return answerWithProgress(call, async (ongoing) => {
    const forked = await withDatabase(call, (database) => database.fork(body.at, ongoing))
    const first = { ...forked, author: authorOf(user) }
    const elsewhere = relay && (await relayMade(body.name, first, ongoing.signal, relay))
    if (elsewhere && !elsewhere.ok) return elsewhere
    const { sequence } = elsewhere
      ? ((await elsewhere.json()) as { readonly sequence: number })
      : { sequence: await core.databases.create(body.name, first) }
    return Response.json({ name: body.name, sequence, from: first.origin }, { status: 201 })
  })
}
