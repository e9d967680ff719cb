import { RowcastError } from '../errors/index.ts'
import type { ProvideOptions, Provision, TabContext } from './api.ts'
import { copyPayload } from './copy-payload.ts'
import type { Members } from './members.ts'
import type { AnswerMessage, CrossedError, Message, RequestMessage } from './wire.ts'

type Handler = (payload: unknown, context: TabContext) => unknown

interface SeenRequest {
  readonly from: string
  /** `undefined` while its handler runs. */
  answer: AnswerMessage | undefined
}

/** So many answers are kept for tabs that have gone without fetching them, and may come back. */
const keptAnswers = 1_000

/** What this tab answers. A request is run once, however often it arrives. */
export class Providers {
  readonly #members: Members
  readonly #send: (message: Message, to: string) => void
  readonly #handlers = new Map<string, { readonly handler: Handler; readonly whileLeading: boolean }>()
  readonly #seen = new Map<string, SeenRequest>()

  constructor(members: Members, send: (message: Message, to: string) => void) {
    this.#members = members
    this.#send = send
    members.changed$.subscribe(() => this.#announce())
    members.removed$.subscribe(() => this.#prune())
  }

  provide(type: string, handler: Handler, { whileLeading = false }: ProvideOptions = {}): Provision {
    if (this.#handlers.has(type))
      throw new RowcastError('tabs', `this tab provides '${type}' already: stop() that provision first`)
    const entry = { handler, whileLeading }
    this.#handlers.set(type, entry)
    this.#announce()
    return {
      stop: () => {
        if (this.#handlers.get(type) !== entry) return
        this.#handlers.delete(type)
        this.#announce()
      },
    }
  }

  receive(from: string, { id, type, payload, oneWay }: RequestMessage): void {
    const seen = this.#seen.get(id)
    if (seen) {
      if (seen.answer) this.#send(seen.answer, from)
      return
    }
    const entry = this.#handlers.get(type)
    if (!entry || !this.#isOffered(entry)) return this.#send({ kind: 'declined', id }, from)
    const request: SeenRequest = { from, answer: undefined }
    this.#seen.set(id, request)
    const answer = (message: AnswerMessage): void => {
      request.answer = message
      this.#send(message, from)
    }
    const running = run(entry.handler, payload, { from, requestId: id })
    if (oneWay) {
      answer({ kind: 'answer', id, value: undefined })
      running.catch(reportUncaught)
      return
    }
    running
      .then((value) => copyPayload(value, `the answer of '${type}'`))
      .then(
        (value) => answer({ kind: 'answer', id, value }),
        (error: unknown) => answer({ kind: 'failure', id, error: crossing(error) }),
      )
  }

  /** The requester has the answer and won't send the request again. */
  forget(id: string): void {
    this.#seen.delete(id)
  }

  /** Hands what is running to other providers, since this page stops here for now. */
  handOver(): void {
    for (const [id, { from, answer }] of this.#seen) if (!answer) this.#send({ kind: 'declined', id }, from)
  }

  #isOffered({ whileLeading }: { readonly whileLeading: boolean }): boolean {
    return !this.#members.own.frozen && (!whileLeading || this.#members.own.epoch !== undefined)
  }

  #announce(): void {
    const provides = [...this.#handlers].filter(([, entry]) => this.#isOffered(entry)).map(([type]) => type)
    const said = this.#members.own.provides
    if (provides.length !== said.length || provides.some((type, at) => type !== said[at]))
      this.#members.update({ provides })
  }

  #prune(): void {
    const present = new Set(this.#members.all.map(({ id }) => id))
    const orphans = [...this.#seen].filter(([, { from, answer }]) => answer && !present.has(from))
    for (const [id] of orphans.slice(0, Math.max(orphans.length - keptAnswers, 0))) this.#seen.delete(id)
  }
}

async function run(handler: Handler, payload: unknown, context: TabContext): Promise<unknown> {
  return handler(payload, context)
}

function crossing(error: unknown): CrossedError {
  if (!(error instanceof Error)) return { code: 'handler', message: String(error) }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : 'handler'
  return { code, message: error.message }
}

/** Throws where nobody but the host's handler of uncaught errors can catch it. */
function reportUncaught(error: unknown): void {
  queueMicrotask(() => {
    throw error
  })
}
