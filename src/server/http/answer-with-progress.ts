import { serializeValue } from '../../changes/index.ts'
import type { Call } from './call.ts'
import { errorResponse, RequestError } from './error-response.ts'
import type { Ongoing } from './ongoing.ts'

/**
 * Answers a call that may take long: with what `act` gives, or, where NDJSON is accepted, with a line for each progress
 * and, as the last one, `{"status", "result"}` or `{"status", "error"}`.
 */
export async function answerWithProgress(call: Call, act: (ongoing: Ongoing) => Promise<Response>): Promise<Response> {
  const { request, core } = call
  if (request.headers.get('accept')?.includes('application/x-ndjson') !== true)
    return answerOf(act, { signal: request.signal, progress: () => undefined })
  const left = new AbortController()
  const encoder = new TextEncoder()
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      const line = (value: object): void => {
        if (!left.signal.aborted) controller.enqueue(encoder.encode(`${serializeValue(value)}\n`))
      }
      const signal = AbortSignal.any([request.signal, left.signal])
      void answerOf(act, { signal, progress: ({ done, total }) => line({ progress: { done, total } }) })
        .catch((error: unknown) => errorResponse(error, core.report))
        .then(async (response) => {
          const answer = (await response.json()) as { readonly error?: object }
          line({ status: response.status, ...(answer.error ? { error: answer.error } : { result: answer }) })
          return left.signal.aborted ? undefined : controller.close()
        })
        .catch(core.report)
    },
    cancel: () => left.abort(),
  })
  return new Response(body, { headers: { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' } })
}

/** What fails because nobody waits for it any more is no failure of the server. */
async function answerOf(act: (ongoing: Ongoing) => Promise<Response>, ongoing: Ongoing): Promise<Response> {
  try {
    return await act(ongoing)
  } catch (error) {
    if (!ongoing.signal.aborted) throw error
    throw new RequestError(499, 'aborted', 'nobody waited for the answer any more')
  }
}
