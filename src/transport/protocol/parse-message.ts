import { Ajv, type ValidateFunction } from 'ajv'
import { decodeValue, serializeValue, type CellValue } from '../../changes/index.ts'
import { RowcastError } from '../../errors/index.ts'
import { clientMessageSchemas, serverMessageSchemas } from './message-schemas.ts'
import { MAX_DEPTH } from './depth.ts'
import { shapeOf } from './json-text.ts'
import type { ClientMessage, ServerMessage } from './messages.ts'

/** A message that is none of the protocol. `reason` says where and why. */
export class MalformedMessageError extends RowcastError<'malformed-message'> {
  override readonly name: string = 'MalformedMessageError'
  constructor(reason: string, options?: { cause?: unknown }) {
    super('malformed-message', `not a message of the sync protocol: ${reason}`, options)
  }
}

/** Reads what a client sent. Throws MalformedMessageError. */
export function parseClientMessage(text: string): ClientMessage {
  return readClientMessage(text).message
}

/** The same, with how many lists and objects are in it. */
export function readClientMessage(text: string): { readonly message: ClientMessage; readonly containers: number } {
  const { message, containers } = parse(text, 'client')
  return { message: message as unknown as ClientMessage, containers }
}

/** Reads what a server sent. Throws MalformedMessageError. */
export function parseServerMessage(text: string): ServerMessage {
  return parse(text, 'server').message as unknown as ServerMessage
}

/** A message as it travels. */
export function formatMessage(message: ClientMessage | ServerMessage): string {
  return serializeValue(message)
}

const schemas = { client: clientMessageSchemas, server: serverMessageSchemas }
const compiled = { client: new Map<string, ValidateFunction>(), server: new Map<string, ValidateFunction>() }
/** Compiled with the first message: a page that never connects pays nothing. */
let ajv: Ajv | undefined

function parse(text: string, from: 'client' | 'server'): { readonly message: CellValue; readonly containers: number } {
  // Before it is parsed: what is nested without end would take seconds.
  const { deeper, containers } = shapeOf(text, MAX_DEPTH)
  if (deeper) throw new MalformedMessageError(`it is nested more than ${MAX_DEPTH} deep`)
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw new MalformedMessageError('it is no JSON', { cause })
  }
  const type: unknown = typeof json === 'object' && json !== null ? (json as { type?: unknown }).type : undefined
  const validate = typeof type === 'string' ? validatorOf(from, type) : undefined
  if (!validate) throw new MalformedMessageError(`'${String(type).slice(0, 40)}' is no type of message`)
  if (!validate(json)) {
    const [first] = validate.errors ?? []
    throw new MalformedMessageError(`${String(type)}${first?.instancePath ?? ''} ${first?.message ?? 'is wrong'}`)
  }
  try {
    return { message: decodeValue(json as CellValue), containers }
  } catch (cause) {
    throw new MalformedMessageError(cause instanceof Error ? cause.message : String(cause), { cause })
  }
}

function validatorOf(from: 'client' | 'server', type: string): ValidateFunction | undefined {
  if (!Object.hasOwn(schemas[from], type)) return undefined
  let validate = compiled[from].get(type)
  if (!validate) {
    ajv ??= new Ajv({ ownProperties: true, strict: false, strictNumbers: true })
    validate = ajv.compile(schemas[from][type]!)
    compiled[from].set(type, validate)
  }
  return validate
}
