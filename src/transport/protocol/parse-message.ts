import { Ajv, type ValidateFunction } from 'ajv'
import { decodeValue, serializeValue, type CellValue, type Steps } from '../../changes/index.ts'
import { RowcastError } from '../../errors/index.ts'
import { clientMessageSchemas, serverMessageSchemas } from './message-schemas.ts'
import { MAX_DEPTH } from './depth.ts'
import { decodeInSteps, memberText, parseInSteps } from './json-in-steps.ts'
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
  judge(text)
  return parse(text, 'client') as unknown as ClientMessage
}

/** Reads what a server sent. Throws MalformedMessageError. */
export function parseServerMessage(text: string): ServerMessage {
  judge(text)
  return parse(text, 'server') as unknown as ServerMessage
}

/** What a client sent, as a server takes it in. */
export interface ReadMessage {
  readonly message: ClientMessage
  /** How many lists and objects are in it. */
  readonly containers: number
  /** Whether it has a subscription whose sets were not read, as more lists and objects are in them than may be. */
  readonly isTooDear: boolean
}

/**
 * Reads what a client sent, a piece of it in a step. Throws MalformedMessageError.
 *
 * @param most lists and objects that a subscription may be written with
 */
export function* readClientMessage(text: string, most = Infinity): Steps<ReadMessage> {
  const containers = judge(text)
  if (containers > most && memberText(text, 'type') === '"subscribe"') {
    const message = parse(withoutSets(text), 'client') as unknown as ClientMessage
    return { message, containers: 0, isTooDear: true }
  }
  let json: unknown
  try {
    json = yield* parseInSteps(text)
  } catch (cause) {
    throw noJson(cause)
  }
  assertMessage(json, 'client')
  try {
    const message = (yield* decodeInSteps(json)) as unknown as ClientMessage
    return { message, containers, isTooDear: false }
  } catch (cause) {
    throw noValue(cause)
  }
}

/** The message of a subscription, without what it asks for: of its text the beginning, where its name is. */
function withoutSets(text: string): string {
  const subscription = /"subscription"\s*:\s*(?={)/.exec(text)
  const id = subscription ? memberText(text.slice(subscription.index + subscription[0].length), 'id') : undefined
  return `{"n":${memberText(text, 'n')},"type":"subscribe","subscription":{"id":${id ?? 'null'},"sets":[]}}`
}

/** A message as it travels. */
export function formatMessage(message: ClientMessage | ServerMessage): string {
  return serializeValue(message)
}

const schemas = { client: clientMessageSchemas, server: serverMessageSchemas }
const compiled = { client: new Map<string, ValidateFunction>(), server: new Map<string, ValidateFunction>() }
/** Compiled with the first message: a page that never connects pays nothing. */
let ajv: Ajv | undefined

/** Judges a text before it is parsed: what is nested without end would take seconds. How many lists and objects are in it. */
function judge(text: string): number {
  const { deeper, containers } = shapeOf(text, MAX_DEPTH)
  if (deeper) throw new MalformedMessageError(`it is nested more than ${MAX_DEPTH} deep`)
  return containers
}

function parse(text: string, from: 'client' | 'server'): CellValue {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw noJson(cause)
  }
  assertMessage(json, from)
  try {
    return decodeValue(json)
  } catch (cause) {
    throw noValue(cause)
  }
}

function assertMessage(json: unknown, from: 'client' | 'server'): asserts json is CellValue {
  const type: unknown = typeof json === 'object' && json !== null ? (json as { type?: unknown }).type : undefined
  const validate = typeof type === 'string' ? validatorOf(from, type) : undefined
  if (!validate) throw new MalformedMessageError(`'${String(type).slice(0, 40)}' is no type of message`)
  if (validate(json)) return
  const [first] = validate.errors ?? []
  throw new MalformedMessageError(`${String(type)}${first?.instancePath ?? ''} ${first?.message ?? 'is wrong'}`)
}

function noJson(cause: unknown): MalformedMessageError {
  return new MalformedMessageError('it is no JSON', { cause })
}

function noValue(cause: unknown): MalformedMessageError {
  return new MalformedMessageError(cause instanceof Error ? cause.message : String(cause), { cause })
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
