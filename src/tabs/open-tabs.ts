import { BehaviorSubject, distinctUntilChanged, filter, map, type Observable, Subject } from 'rxjs'
import { RowcastError, StoreClosedError } from '../errors/index.ts'
import type {
  ProvideOptions,
  Provision,
  RequestOptions,
  TabAnswer,
  TabCalls,
  TabContext,
  TabInfo,
  TabMessage,
  TabPayload,
  Tabs,
} from './api.ts'
import { Channel } from './channel.ts'
import { copyPayload } from './copy-payload.ts'
import { Leadership } from './leadership.ts'
import { Members } from './members.ts'
import { isVisible, watchPage } from './page-life.ts'
import { Providers } from './providers.ts'
import { Requests } from './requests.ts'
import { Silence } from './silence.ts'
import type { Message } from './wire.ts'

/** One tab among the others: the parts, and which message goes to which. */
export class OpenTabs<Calls extends TabCalls<Calls>> implements Tabs<Calls> {
  readonly id: string = crypto.randomUUID()
  readonly leader$: Observable<string | undefined>
  readonly tabs$: Observable<readonly TabInfo[]>
  readonly #name: string
  readonly #channel: Channel
  readonly #members: Members
  readonly #leadership: Leadership
  readonly #requests: Requests
  readonly #providers: Providers
  readonly #silence: Silence
  readonly #present$: BehaviorSubject<readonly TabInfo[]>
  readonly #broadcasts$ = new Subject<{ type: string; from: string; payload: unknown }>()
  readonly #stopWatching: () => void
  #ended: RowcastError | undefined

  constructor(name: string, term: number, silenceMs: number) {
    this.#name = name
    const own = {
      visible: isVisible(),
      candidate: false,
      frozen: false,
      joined: performance.timeOrigin + performance.now(),
      epoch: undefined,
      since: 0,
      provides: [],
    }
    this.#channel = new Channel(name, this.id, (from, message) => this.#receive(from, message))
    const send = (message: Message, to?: string): void => this.#channel.send(message, to)
    const onFailure = (error: unknown): void => this.#fail(error)
    const onAsked = (id: string): void => this.#silence.expect(id)
    const members = new Members(name, this.id, own, this.#channel, onFailure)
    this.#members = members
    this.#silence = new Silence({
      silenceMs,
      isAwaited: (id) => members.isUnheard(id) || this.#leadership.asked === id || this.#requests.isAwaiting(id),
      ping: (id) => send({ kind: 'ping' }, id),
      onSilent: (id, attempt) => {
        send({ kind: 'silent', tab: id, attempt })
        this.#onSilent(id, attempt)
      },
    })
    // The order matters: providers say what they offer before requests look for them, and subscribers hear of it last.
    this.#leadership = new Leadership({ name, term, silenceMs, members, send, onAsked, onFailure })
    this.#providers = new Providers(members, send)
    this.#requests = new Requests({ members, send, onAsked })
    this.#present$ = new BehaviorSubject(presentTabs(members))
    members.changed$.subscribe(() => {
      for (const id of members.unheard) this.#silence.expect(id)
      this.#tell()
    })
    this.tabs$ = this.#present$.pipe(distinctUntilChanged(sameTabs))
    this.leader$ = this.#present$.pipe(
      map((tabs) => tabs.find(({ leader }) => leader)?.id),
      distinctUntilChanged(),
    )
    this.#stopWatching = watchPage({
      onVisible: (visible) => members.update({ visible }),
      onFreeze: () => {
        this.#leadership.pause()
        members.update({ frozen: true })
        this.#providers.handOver()
        this.#channel.flush()
      },
      onResume: () => {
        members.update({ frozen: false })
        this.#leadership.resume()
      },
      onHide: () => {
        this.#leadership.pause()
        members.leave()
      },
      onShow: () => {
        members.join()
        this.#leadership.resume()
        this.#requests.resend()
      },
    })
    members.join()
  }

  get isLeader(): boolean {
    return this.#leadership.isLeader
  }

  stand(): void {
    this.#assertOpen()
    this.#leadership.stand()
  }

  abdicate(): void {
    this.#assertOpen()
    this.#leadership.abdicate()
  }

  async request<Type extends keyof Calls & string>(
    type: Type,
    payload?: TabPayload<Calls, Type>,
    options: RequestOptions = {},
  ): Promise<TabAnswer<Calls, Type>> {
    this.#assertOpen()
    const copy = copyPayload(payload, `the payload of '${type}'`)
    return (await this.#requests.add(type, copy, false, options.signal)) as TabAnswer<Calls, Type>
  }

  provide<Type extends keyof Calls & string>(
    type: Type,
    handler: (
      payload: TabPayload<Calls, Type>,
      context: TabContext,
    ) => TabAnswer<Calls, Type> | PromiseLike<TabAnswer<Calls, Type>>,
    options?: ProvideOptions,
  ): Provision {
    this.#assertOpen()
    return this.#providers.provide(
      type,
      (payload, context) => handler(payload as TabPayload<Calls, Type>, context),
      options,
    )
  }

  notify<Type extends keyof Calls & string>(type: Type, payload?: TabPayload<Calls, Type>): void {
    this.#assertOpen()
    // It can only reject because these tabs are closed or have failed, which their streams and next call tell.
    this.#requests.add(type, copyPayload(payload, `the payload of '${type}'`), true).catch(() => undefined)
  }

  broadcast<Type extends keyof Calls & string>(type: Type, payload?: TabPayload<Calls, Type>): void {
    this.#assertOpen()
    this.#channel.send({ kind: 'broadcast', type, payload: copyPayload(payload, `the payload of '${type}'`) })
  }

  messages$<Type extends keyof Calls & string>(type: Type): Observable<TabMessage<TabPayload<Calls, Type>>> {
    return this.#broadcasts$.pipe(
      filter((message) => message.type === type),
      map(({ from, payload }) => ({ from, payload: payload as TabPayload<Calls, Type> })),
    )
  }

  close(): void {
    if (this.#ended) return
    this.#end(new StoreClosedError(`the tab among '${this.#name}'`))
    this.#present$.complete()
    this.#broadcasts$.complete()
  }

  /** Locks or the channel are refused (an opaque origin, a document that isn't active). */
  #fail(error: unknown): void {
    if (this.#ended) return
    const failure = new RowcastError(
      'tabs',
      `the tabs of '${this.#name}' can't be joined: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    )
    this.#end(failure)
    this.#present$.error(failure)
    this.#broadcasts$.error(failure)
  }

  #end(reason: RowcastError): void {
    this.#ended = reason
    this.#stopWatching()
    this.#leadership.close()
    this.#members.leave()
    this.#silence.close()
    this.#channel.close()
    this.#requests.rejectAll(reason)
  }

  #assertOpen(): void {
    if (this.#ended) throw this.#ended
  }

  #receive(from: string, message: Message): void {
    if (this.#ended) return
    if (from !== this.id) {
      if (message.kind !== 'bye') this.#members.heard(from)
      this.#handle(from, message)
      this.#silence.heard(from)
    } else this.#handle(from, message)
  }

  #handle(from: string, message: Message): void {
    switch (message.kind) {
      case 'hello':
      case 'state':
        return this.#members.setState(from, message.state, message.kind === 'hello')
      case 'bye':
        return this.#members.remove(from)
      case 'ping':
        return this.#channel.send({ kind: 'pong' }, from)
      case 'pong':
        return undefined
      case 'silent':
        // To all: they may have given up on this tab.
        if (message.tab === this.id) return this.#channel.send({ kind: 'pong' })
        return this.#onSilent(message.tab, message.attempt)
      case 'yield':
        this.#channel.send({ kind: 'pong' }, from)
        return this.#leadership.yield()
      case 'request':
        return this.#providers.receive(from, message)
      case 'answer':
      case 'failure':
      case 'declined':
        return this.#requests.settle(from, message)
      case 'got':
        return this.#providers.forget(message.id)
      case 'broadcast':
        return this.#broadcasts$.next({ type: message.type, from, payload: message.payload })
    }
  }

  #onSilent(id: string, attempt: number): void {
    this.#members.silence(id)
    this.#leadership.onSilent(id, attempt)
  }

  #tell(): void {
    this.#present$.next(presentTabs(this.#members))
  }
}

function presentTabs(members: Members): readonly TabInfo[] {
  const leader = members.leader?.id
  return members.all.map(({ id, state: { visible, candidate } }) => ({ id, visible, candidate, leader: id === leader }))
}

function sameTabs(a: readonly TabInfo[], b: readonly TabInfo[]): boolean {
  return (
    a.length === b.length &&
    a.every((tab, at) => {
      const other = b[at]
      return (
        other !== undefined &&
        tab.id === other.id &&
        tab.visible === other.visible &&
        tab.candidate === other.candidate &&
        tab.leader === other.leader
      )
    })
  )
}
