import { setImmediate as immediate } from 'node:timers/promises'
import { Ajv, type ValidateFunction } from 'ajv'
import type { CellValue } from '../../changes/index.ts'
import { BodyPausedError, bodyParts, MAX_DEPTH, shapeOf, type TextShape } from '../../transport/index.ts'
import { CONTAINER_BYTES } from '../budgets.ts'
import { decodeInSteps, parseInSteps } from '../json-in-steps.ts'
import { inTurns } from '../turns.ts'
import type { Call } from './call.ts'
import { RequestError } from './error-response.ts'

/** Others have a turn after so many bytes are put together. */
const COPY_BYTES = 4 * 1024 * 1024

/** What is in a body goes on to others in messages, which are nested deeper by some levels. */
const MAX_BODY_DEPTH = MAX_DEPTH - 8

/**
 * The body of a call. Throws RequestError where it is longer than may be (413), pauses for too long (408) or is more than
 * `hold` takes (429); it is read no further then.
 */
export async function readBytes(
  { request, core }: Pick<Call, 'request' | 'core'>,
  maxBytes: number,
  hold?: Call['hold'],
): Promise<Uint8Array<ArrayBuffer>> {
  const tooLarge = (): RequestError =>
    new RequestError(413, 'too-large', `the body is longer than the ${maxBytes} bytes that are taken`)
  if (Number(request.headers.get('content-length') ?? 0) > maxBytes) throw tooLarge()
  const parts: Uint8Array[] = []
  let length = 0
  try {
    for await (const part of bodyParts(request, core.limits.bodyPauseMs)) {
      length += part.length
      if (length > maxBytes) throw tooLarge()
      hold?.(part.length)
      parts.push(part)
    }
  } catch (error) {
    if (error instanceof BodyPausedError) throw new RequestError(408, 'body-paused', error.message)
    throw error
  }
  const bytes = new Uint8Array(length)
  let at = 0
  let rested = 0
  for (const part of parts)
    for (let from = 0; from < part.length; from += COPY_BYTES) {
      const piece = part.subarray(from, from + COPY_BYTES)
      bytes.set(piece, at)
      at += piece.length
      if (at - rested < COPY_BYTES) continue
      rested = at
      await immediate()
    }
  return bytes
}

// `ownProperties`: a name that every object inherits is not there.
const ajv = new Ajv({ ownProperties: true, strict: false, strictNumbers: true })
const compiled = new Map<object, ValidateFunction>()

/**
 * A body of JSON in the form of `serializeValue`, which a JSON Schema allows; an empty one is `{}`. Throws RequestError:
 * 400 for what is none, and what `readBytes` throws.
 */
export async function readJson<Body>(call: Call, schema: object, maxBytes: number): Promise<Body> {
  const bytes = await readBytes(call, maxBytes, call.hold)
  let json: unknown
  let shape: TextShape
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    shape = shapeOf(text, MAX_BODY_DEPTH)
    if (!shape.deeper) json = text.trim() === '' ? {} : await inTurns(parseInSteps(text))
  } catch {
    throw new RequestError(400, 'malformed', 'the body is not JSON in UTF-8')
  }
  if (shape.deeper) throw new RequestError(400, 'malformed', 'the body is nested too deeply')
  call.hold(shape.containers * CONTAINER_BYTES)
  let validate = compiled.get(schema)
  if (!validate) compiled.set(schema, (validate = ajv.compile(schema)))
  if (!validate(json)) {
    const [first] = validate.errors ?? []
    const extra = (first?.params as { additionalProperty?: unknown } | undefined)?.additionalProperty
    const named = typeof extra === 'string' ? ` ('${extra.slice(0, 100)}')` : ''
    throw new RequestError(
      400,
      'malformed',
      `the body${first?.instancePath ?? ''} ${first?.message ?? 'is wrong'}${named}`,
    )
  }
  try {
    return (await inTurns(decodeInSteps(json as CellValue))) as Body
  } catch (error) {
    throw new RequestError(400, 'malformed', error instanceof Error ? error.message : 'the body can not be read')
  }
}
