import { RowcastError } from '../errors/index.ts'
import type { Members } from './members.ts'
import type { AnswerMessage, Message } from './wire.ts'

interface WaitingRequest {
  readonly id: string
  readonly type: string
  readonly payload: unknown
  readonly oneWay: boolean
  /** The provider that it was sent to last. */
  target: string | undefined
  readonly resolve: (answer: unknown) => void
  readonly reject: (error: Error) => void
}

export interface RequestsOptions {
  readonly members: Members
  readonly send: (message: Message, to: string) => void
  /** A tab was asked something: it must say something. */
  readonly onAsked: (id: string) => void
}

/** The unanswered requests of this tab, each with whoever provides its type now. */
export class Requests {
  readonly #options: RequestsOptions
  readonly #waiting = new Map<string, WaitingRequest>()
  #count = 0

  constructor(options: RequestsOptions) {
    this.#options = options
    options.members.removed$.subscribe((id) => this.#lose(id))
    options.members.changed$.subscribe(() => this.#routeAll())
  }

  /** `payload` must be a copy. */
  add(type: string, payload: unknown, oneWay: boolean, signal?: AbortSignal): Promise<unknown> {
    return new Promise((resolve, reject: (reason: Error) => void) => {
      signal?.throwIfAborted()
      const id = `${this.#options.members.id}:${this.#count++}`
      const giveUp = (): void => {
        this.#waiting.delete(id)
        reject(signal?.reason as Error)
      }
      const settled = (): void => signal?.removeEventListener('abort', giveUp)
      signal?.addEventListener('abort', giveUp)
      const request: WaitingRequest = {
        id,
        type,
        payload,
        oneWay,
        target: undefined,
        resolve: (answer) => (settled(), resolve(answer)),
        reject: (error) => (settled(), reject(error)),
      }
      this.#waiting.set(id, request)
      this.#route(request)
    })
  }

  isAwaiting(target: string): boolean {
    for (const request of this.#waiting.values()) if (request.target === target) return true
    return false
  }

  settle(from: string, answer: AnswerMessage): void {
    const request = this.#waiting.get(answer.id)
    if (answer.kind === 'declined') {
      if (request?.target !== from) return
      request.target = undefined
      return this.#route(request, from)
    }
    this.#options.send({ kind: 'got', id: answer.id }, from)
    if (!request) return
    this.#waiting.delete(answer.id)
    if (answer.kind === 'answer') request.resolve(answer.value)
    else request.reject(new RowcastError(answer.error.code, answer.error.message))
  }

  /** After this tab was away: whatever came meanwhile was missed. Providers answer again what they have answered. */
  resend(): void {
    for (const request of this.#waiting.values()) request.target = undefined
    this.#routeAll()
  }

  rejectAll(error: Error): void {
    const requests = [...this.#waiting.values()]
    this.#waiting.clear()
    for (const { reject } of requests) reject(error)
  }

  #lose(target: string): void {
    for (const request of this.#waiting.values()) if (request.target === target) request.target = undefined
  }

  #routeAll(): void {
    for (const request of this.#waiting.values()) this.#route(request)
  }

  #route(request: WaitingRequest, declinedBy?: string): void {
    const { members, send, onAsked } = this.#options
    if (request.target !== undefined && !members.isSilent(request.target)) return
    const target = this.#providerOf(request.type, declinedBy)
    if (target === undefined || target === request.target) return
    request.target = target
    const { id, type, payload, oneWay } = request
    send({ kind: 'request', id, type, payload, oneWay }, target)
    if (target !== members.id) onAsked(target)
  }

  #providerOf(type: string, except: string | undefined): string | undefined {
    const { members } = this.#options
    if (!members.isSettled) return undefined
    const provides = members.all.filter(
      ({ id, state }) => id !== except && !state.frozen && state.provides.includes(type) && !members.isSilent(id),
    )
    const preferred = [members.leader?.id, members.id]
    return (
      preferred.find((wanted) => wanted !== undefined && provides.some(({ id }) => id === wanted)) ?? provides[0]?.id
    )
  }
}
