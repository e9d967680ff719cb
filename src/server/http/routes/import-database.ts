import { authorOf } from '../../author.ts'
import { UnknownDatabaseError, type Lease } from '../../databases.ts'
import { answerWithProgress } from '../answer-with-progress.ts'
import type { Answer, Call } from '../call.ts'
import { RequestError } from '../error-response.ts'
import { readBytes } from '../read-body.ts'

/** Replaces a database by a file, as one transaction that everyone connected sees, or makes one of it. */
export const importDatabase: Answer = async (call) => {
  const { core, user, name, url, importBytes } = call
  await core.authorize(user, 'import', name)
  const label = url.searchParams.get('label') ?? undefined
  if (label !== undefined && label.length > 1000)
    throw new RequestError(400, 'malformed', 'a label has at most 1000 characters')
  const given = await readBytes(call, importBytes)
  if (given.length === 0)
    throw new RequestError(400, 'malformed', 'the body is empty: send the bytes of a .db file as the body')
  const author = authorOf(user)
  const lease = await find(call)
  if (!lease) {
    await core.authorize(user, 'create', name)
    return answerWithProgress(call, async (ongoing) => {
      const sequence = await core.databases.create(name, { file: given, author }, ongoing)
      return Response.json({ name, sequence, created: true }, { status: 201 })
    })
  }
  return answerWithProgress(call, async (ongoing) => {
    try {
      const record = { kind: 'import', ...author, ...(label !== undefined && { label }) } as const
      const sequence = await lease.database.replace(given, record, ongoing)
      return Response.json({ name, sequence, created: false })
    } finally {
      lease.release()
    }
  })
}

async function find({ core, name }: Call): Promise<Lease | undefined> {
  try {
    return await core.databases.use(name)
  } catch (error) {
    if (error instanceof UnknownDatabaseError) return undefined
    throw error
  }
}
