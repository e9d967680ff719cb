import { Positions } from '../../position.ts'
import { namesTag, parseRange } from '../byte-range.ts'
import { withDatabase, type Answer } from '../call.ts'
import { errorBody } from '../error-response.ts'
import type { ExportFile } from '../export-files.ts'
import { queryNumber } from '../query-number.ts'

export const exportDatabase: Answer = async (call) => {
  const { core, user, name, url, request, files } = call
  await core.authorize(user, 'export', name)
  const at = queryNumber(url, 'at', 1)
  const { file, position } = await withDatabase(call, async (database) => {
    const file = await files.get(database, at)
    // A store that starts with the file goes on from here. To others the number behind it would tell too much.
    const position =
      file.point && core.access(database, user).unrestricted
        ? database.positions.encode(file.point, Positions.everything(core.schema.version))
        : undefined
    return { file, position }
  })
  const response = fileResponse(file, name, request)
  if (position !== undefined) response.headers.set('rowcast-position', position)
  return response
}

function fileResponse({ bytes, etag, sequence }: ExportFile, name: string, request: Request): Response {
  const headers = {
    etag,
    // What it is changes with the next transaction, and who may have it with the user: it may be kept, and is asked for again.
    'cache-control': 'private, no-cache',
    'accept-ranges': 'bytes',
    'rowcast-sequence': String(sequence),
  }
  if (namesTag(request.headers.get('if-none-match'), etag)) return new Response(null, { status: 304, headers })
  const type = {
    'content-type': 'application/vnd.sqlite3',
    'content-disposition': `attachment; filename="${name}.db"`,
    'x-content-type-options': 'nosniff',
  }
  const { size, first, last, status } = select(bytes.length, etag, request)
  if (status === 416)
    return errorBody(416, 'range', `the file has ${size} bytes`, { 'content-range': `bytes */${size}` })
  const part = bytes.subarray(first, last + 1)
  return new Response(part as Uint8Array<ArrayBuffer>, {
    status,
    headers: {
      ...headers,
      ...type,
      'content-length': String(part.length),
      ...(status === 206 && { 'content-range': `bytes ${first}-${last}/${size}` }),
    },
  })
}

function select(
  size: number,
  etag: string,
  request: Request,
): { readonly size: number; readonly first: number; readonly last: number; readonly status: number } {
  const condition = request.headers.get('if-range')
  const whole = { size, first: 0, last: size - 1, status: 200 }
  if (condition !== null && condition !== etag) return whole
  const range = parseRange(request.headers.get('range'), size)
  if (range === 'unsatisfiable') return { ...whole, status: 416 }
  return range ? { size, ...range, status: 206 } : whole
}
