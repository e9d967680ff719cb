import { serializeValue } from '../../../changes/index.ts'
import type { HistoryEntry, LiveDatabase } from '../../live-database.ts'
import type { Answer } from '../call.ts'
import { queryNumber } from '../query-number.ts'
import { streamText } from '../stream-text.ts'

const LIMIT = 100
const MAX_LIMIT = 1_000

/**
 * The log: who, when, label, changes, with values in the form of `serializeValue`. As JSON in parts, `next` of each being
 * the `from` of the one after; as NDJSON, where that is accepted, all at once. Read as fast as it is taken.
 */
export const readHistory: Answer = async (call) => {
  const { core, user, name, url, request } = call
  await core.authorize(user, 'history', name)
  const from = queryNumber(url, 'from', 1)
  const limit = queryNumber(url, 'limit', 1)
  const isWhole = request.headers.get('accept')?.includes('application/x-ndjson') === true
  const lease = await core.databases.use(name)
  const { database } = lease
  const text = isWhole ? linesText(database, from, limit) : pageText(database, from, limit)
  const headers = {
    'content-type': isWhole ? 'application/x-ndjson' : 'application/json',
    'cache-control': 'no-store',
  }
  return new Response(await streamText(text, () => lease.release()), { headers })
}

async function* pageText(
  database: LiveDatabase,
  from: number | undefined,
  limit: number = LIMIT,
): AsyncGenerator<string> {
  const { first, last } = await database.bounds()
  const start = from ?? first
  let next: number | undefined
  let comma = ''
  yield '{"entries":['
  if (start <= last)
    for await (const entry of database.history(start, Math.min(limit, MAX_LIMIT))) {
      yield comma
      yield* entryText(database, entry)
      comma = ','
      next = entry.sequence < last ? entry.sequence + 1 : undefined
    }
  yield `],${serializeValue({ first, last, ...(next !== undefined && { next }) }).slice(1)}`
}

/** An entry a line. */
async function* linesText(
  database: LiveDatabase,
  from: number | undefined,
  limit: number | undefined,
): AsyncGenerator<string> {
  const { first } = await database.bounds()
  for await (const entry of database.history(from ?? first, limit)) {
    yield* entryText(database, entry)
    yield '\n'
  }
}

/** The text of an entry, piece by piece: it may have as many changes as the database has rows. */
async function* entryText(database: LiveDatabase, entry: HistoryEntry): AsyncGenerator<string> {
  const { kind, id, at, by, name, label, from } = entry.record
  const head = serializeValue({
    sequence: entry.sequence,
    kind,
    at,
    ...(by !== undefined && { by }),
    ...(name !== undefined && { name }),
    ...(label !== undefined && { label }),
    ...(id !== undefined && { id }),
    ...(from !== undefined && { from }),
    changes: [],
  })
  yield head.slice(0, -']}'.length)
  let comma = ''
  for await (const changes of database.changesOf(entry)) {
    if (changes.length === 0) continue
    const said = changes.map(({ table, key, op, before, after }) => ({ table, key, op, before, after }))
    yield `${comma}${serializeValue(said).slice(1, -1)}`
    comma = ','
  }
  yield ']}'
}
