import type { ServerCore } from '../../create-server.ts'
import { errorBody } from '../error-response.ts'

/** Whether the server lives; with `?ready`, whether it reaches its storage and takes requests. */
export async function answerHealth(core: ServerCore, request: Request): Promise<Response> {
  if (new URL(request.url).searchParams.has('ready')) {
    try {
      await core.databases.list()
    } catch (error) {
      core.report(error)
      return errorBody(503, 'unavailable', 'the storage is out of reach')
    }
  }
  return Response.json({ status: 'ok' }, { headers: { 'cache-control': 'no-store' } })
}
