import type { SseBatch } from './sse-events.ts'

/** The batch in the body of a POST, or the response that refuses it. */
export async function readBatch(request: Request, maxBytes: number): Promise<SseBatch | Response> {
  const text = await readText(request, maxBytes)
  if (text === undefined) return new Response(`the body is longer than ${maxBytes} bytes`, { status: 413 })
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return new Response('the body is not JSON', { status: 400 })
  }
  return isBatch(value)
    ? value
    : new Response('expected { "session": string, "n": integer from 1, "messages": string[] }', { status: 400 })
}

/** Undefined where the body is longer than may be; it is read no further then. */
async function readText(request: Request, maxBytes: number): Promise<string | undefined> {
  if (!request.body || Number(request.headers.get('content-length') ?? 0) > maxBytes)
    return request.body ? undefined : ''
  const decoder = new TextDecoder()
  const reader = request.body.getReader()
  let text = ''
  let length = 0
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    length += read.value.length
    if (length > maxBytes) {
      await reader.cancel()
      return undefined
    }
    text += decoder.decode(read.value, { stream: true })
  }
  return text + decoder.decode()
}

function isBatch(value: unknown): value is SseBatch {
  if (typeof value !== 'object' || value === null) return false
  const { session, n, messages } = value as Partial<Record<keyof SseBatch, unknown>>
  return (
    typeof session === 'string' &&
    typeof n === 'number' &&
    Number.isSafeInteger(n) &&
    n >= 1 &&
    Array.isArray(messages) &&
    messages.every((message) => typeof message === 'string')
  )
}
