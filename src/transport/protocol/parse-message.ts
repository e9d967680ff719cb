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

  static tooDeep(): MalformedMessageError {
    return new MalformedMessageError(`it is nested more than ${MAX_DEPTH} deep`)
  }

  static noJson(cause: unknown): MalformedMessageError {
    return new MalformedMessageError('it is no JSON', { cause })
  }

  /** A value in it is written in no form that there is. */
  static noValue(cause: unknown): MalformedMessageError {
    return new MalformedMessageError(cause instanceof Error ? cause.message : String(cause), { cause })
  }
}

/** Reads what a client sent. Throws MalformedMessageError. */
export function parseClientMessage(text: string): ClientMessage {
  return parse(text, 'client') as unknown as ClientMessage
}

/** Reads what a server sent. Throws MalformedMessageError. */
export function parseServerMessage(text: string): ServerMessage {
  return parse(text, 'server') as unknown as ServerMessage
}

/** A message as it travels. */
export function formatMessage(message: ClientMessage | ServerMessage): string {
  return serializeValue(message)
}

const schemas = { client: clientMessageSchemas, server: serverMessageSchemas }
const compiled = { client: new Map<string, ValidateFunction>(), server: new Map<string, ValidateFunction>() }
/** Compiled with the first message: a page that never connects pays nothing. */
let ajv: Ajv | undefined

function parse(text: string, from: 'client' | 'server'): CellValue {
  // Before it is parsed: what is nested without end would take seconds.
  if (shapeOf(text, MAX_DEPTH).deeper) throw MalformedMessageError.tooDeep()
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw MalformedMessageError.noJson(cause)
  }
  assertMessage(json, from)
  try {
    return decodeValue(json)
  } catch (cause) {
    throw MalformedMessageError.noValue(cause)
  }
}

/** Throws MalformedMessageError for what is no message of the protocol, in the form in which it travels. */
export function assertMessage(json: unknown, from: 'client' | 'server'): asserts json is CellValue {
  const type: unknown = typeof json === 'object' && json !== null ? (json as { type?: unknown }).type : undefined
  const validate = typeof type === 'string' ? validatorOf(from, type) : undefined
  if (!validate) throw new MalformedMessageError(`'${String(type).slice(0, 40)}' is no type of message`)
  if (validate(json)) return
  const [first] = validate.errors ?? []
  throw new MalformedMessageError(`${String(type)}${first?.instancePath ?? ''} ${first?.message ?? 'is wrong'}`)
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
