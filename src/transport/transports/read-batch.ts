import { shapeOf } from '../protocol/json-text.ts'
import { BodyPausedError, bodyParts } from './body-parts.ts'
import type { SseBatch } from './sse-events.ts'

/** A batch is an object with a list of texts: what is nested more deeply is none. */
const BATCH_DEPTH = 2
/** Bytes in which a body names its session: it does so first. */
const SESSION_BYTES = 128
const SESSION = /^\s*\{\s*"session"\s*:\s*"([^"\\]{1,64})"/

export interface BatchLimits {
  /** The longest body that the session of this name takes, in bytes. */
  readonly bytesOf: (session: string | undefined) => number
  /** Told of the session whose body was longer. */
  readonly tooLarge: (session: string | undefined) => void
  readonly pauseMs: number
}

/**
 * The batch in the body of a POST, or the response that refuses it. What comes first names the session, and how much of
 * the rest is read.
 */
export async function readBatch(request: Request, limits: BatchLimits): Promise<SseBatch | Response> {
  let text: string | Response
  try {
    text = await readText(request, limits)
  } catch (error) {
    if (!(error instanceof BodyPausedError)) throw error
    return new Response(error.message, { status: 408 })
  }
  if (text instanceof Response) return text
  if (shapeOf(text, BATCH_DEPTH).deeper) return new Response('the body is nested too deeply', { status: 400 })
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

/** Its text, or a refusal where it is longer than may be; it is read no further then. */
async function readText(request: Request, { bytesOf, tooLarge, pauseMs }: BatchLimits): Promise<string | Response> {
  const decoder = new TextDecoder()
  const announced = Number(request.headers.get('content-length') ?? 0)
  let text = ''
  let length = 0
  let allowed: number | undefined
  for await (const part of bodyParts(request, pauseMs)) {
    length += part.length
    text += decoder.decode(part, { stream: true })
    if (allowed === undefined && length < SESSION_BYTES && length < announced) continue
    const session = SESSION.exec(text.slice(0, SESSION_BYTES))?.[1]
    allowed ??= bytesOf(session)
    if (Math.max(length, announced) <= allowed) continue
    tooLarge(session)
    return new Response(`the body is longer than the ${allowed} bytes that are taken`, { status: 413 })
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
