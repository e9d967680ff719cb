import { setImmediate as immediate } from 'node:timers/promises'
import { Ajv, type ValidateFunction } from 'ajv'
import { decodeValue, type CellValue } from '../../changes/index.ts'
import { isDeeper, MAX_DEPTH } from '../../transport/index.ts'
import { RequestError } from './error-response.ts'

/** Others have a turn after so many bytes are put together. */
const COPY_BYTES = 4 * 1024 * 1024

/** The body of a request. Throws RequestError (413) where it is longer than may be; it is read no further then. */
export async function readBytes(request: Request, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const tooLarge = (): RequestError =>
    new RequestError(413, 'too-large', `the body is longer than the ${maxBytes} bytes that are taken`)
  if (Number(request.headers.get('content-length') ?? 0) > maxBytes) throw tooLarge()
  if (!request.body) return new Uint8Array()
  const parts: Uint8Array[] = []
  const reader: ReadableStreamDefaultReader<Uint8Array> = request.body.getReader()
  let length = 0
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    length += read.value.length
    if (length > maxBytes) {
      await reader.cancel()
      throw tooLarge()
    }
    parts.push(read.value)
  }
  const bytes = new Uint8Array(length)
  let at = 0
  let rested = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
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
 * 400 for what is none, 413 for one that is too long.
 */
export async function readJson<Body>(request: Request, schema: object, maxBytes: number): Promise<Body> {
  const bytes = await readBytes(request, maxBytes)
  let json: unknown
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    json = text.trim() === '' ? {} : JSON.parse(text)
  } catch {
    throw new RequestError(400, 'malformed', 'the body is not JSON in UTF-8')
  }
  // What is in it goes on to others in messages, which are nested deeper by some levels.
  if (isDeeper(json, MAX_DEPTH - 8)) throw new RequestError(400, 'malformed', 'the body is nested too deeply')
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
    return decodeValue(json as CellValue) as Body
  } catch (error) {
    throw new RequestError(400, 'malformed', error instanceof Error ? error.message : 'the body can not be read')
  }
}
