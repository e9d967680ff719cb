import type { Steps } from '../changes/index.ts'
import {
  assertMessage,
  MalformedMessageError,
  MAX_DEPTH,
  parseClientMessage,
  shapeOf,
  type ClientMessage,
} from '../transport/index.ts'
import { decodeInSteps, memberText, parseInSteps } from './json-in-steps.ts'

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
export function* readClientMessage(text: string, most: number = Infinity): Steps<ReadMessage> {
  // Before it is parsed: what is nested without end would take seconds.
  const { deeper, containers } = shapeOf(text, MAX_DEPTH)
  if (deeper) throw MalformedMessageError.tooDeep()
  if (containers > most && memberText(text, 'type') === '"subscribe"') {
    const message = parseClientMessage(withoutSets(text))
    return { message, containers: 0, isTooDear: true }
  }
  let json: unknown
  try {
    json = yield* parseInSteps(text)
  } catch (cause) {
    throw MalformedMessageError.noJson(cause)
  }
  assertMessage(json, 'client')
  try {
    const message = (yield* decodeInSteps(json)) as unknown as ClientMessage
    return { message, containers, isTooDear: false }
  } catch (cause) {
    throw MalformedMessageError.noValue(cause)
  }
}

/** The message of a subscription, without what it asks for: of its text the beginning, where its name is. */
function withoutSets(text: string): string {
  const subscription = /"subscription"\s*:\s*(?={)/.exec(text)
  const id = subscription ? memberText(text.slice(subscription.index + subscription[0].length), 'id') : undefined
  return `{"n":${memberText(text, 'n')},"type":"subscribe","subscription":{"id":${id ?? 'null'},"sets":[]}}`
}
