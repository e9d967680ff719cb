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
  // By it other servers of the same databases know that this one lives.
  const { placement } = core
  const node = placement?.node
  if (placement && node === undefined) return errorBody(503, 'shutting-down', 'the server is going down')
  return Response.json({ status: 'ok', node }, { headers: { 'cache-control': 'no-store' } })
}
