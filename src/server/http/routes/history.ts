import { serializeValue } from '../../../changes/index.ts'
import type { Lease } from '../../databases.ts'
import type { LogRecord } from '../../log-record.ts'
import { withDatabase, type Answer } from '../call.ts'
import { queryNumber } from '../query-number.ts'

const LIMIT = 100
const MAX_LIMIT = 1_000

/**
 * The log: who, when, label, changes, with values in the form of `serializeValue`. As JSON in parts, `next` of each being
 * the `from` of the one after; as NDJSON, where that is accepted, all at once.
 */
export const readHistory: Answer = async (call) => {
  const { core, user, name, url, request } = call
  await core.authorize(user, 'history', name)
  const from = queryNumber(url, 'from', 1)
  const limit = queryNumber(url, 'limit', 1)
  if (request.headers.get('accept')?.includes('application/x-ndjson')) {
    const lease = await core.databases.use(name)
    try {
      const { first } = await lease.database.bounds()
      return new Response(lines(lease, from ?? first, limit), {
        headers: { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' },
      })
    } catch (error) {
      lease.release()
      throw error
    }
  }
  return withDatabase(call, async (database) => {
    const { first, last } = await database.bounds()
    const entries: string[] = []
    let next: number | undefined
    const start = from ?? first
    if (start <= last)
      for await (const { sequence, record } of database.history(start, Math.min(limit ?? LIMIT, MAX_LIMIT))) {
        entries.push(entryText(sequence, record))
        next = sequence < last ? sequence + 1 : undefined
      }
    const rest = serializeValue({ first, last, ...(next !== undefined && { next }) }).slice(1)
    return new Response(`{"entries":[${entries.join(',')}],${rest}`, {
      headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
    })
  })
}

function entryText(sequence: number, { kind, id, at, by, name, label, from, changes }: LogRecord): string {
  return serializeValue({
    sequence,
    kind,
    at,
    ...(by !== undefined && { by }),
    ...(name !== undefined && { name }),
    ...(label !== undefined && { label }),
    ...(id !== undefined && { id }),
    ...(from !== undefined && { from }),
    changes: changes.map(({ table, key, op, before, after }) => ({ table, key, op, before, after })),
  })
}

/** An entry a line, read as fast as it is taken. */
function lines(lease: Lease, from: number, limit: number | undefined): ReadableStream<Uint8Array> {
  const entries = lease.database.history(from, limit)
  const encoder = new TextEncoder()
  return new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      try {
        const next = await entries.next()
        if (next.done !== true) {
          const { sequence, record } = next.value
          controller.enqueue(encoder.encode(`${entryText(sequence, record)}\n`))
          return
        }
        controller.close()
      } catch (error) {
        controller.error(error)
      }
      lease.release()
    },
    cancel: async () => {
      lease.release()
      await entries.return(undefined)
    },
  })
}
