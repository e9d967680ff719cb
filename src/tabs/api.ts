import type { Observable } from 'rxjs'

/** What tabs ask of each other: a function for each type of request, notice or broadcast. */
export type TabCalls<Calls> = { [Type in keyof Calls]: (payload: never) => unknown }

/** The calls of tabs that declare none: any type, any payload. */
export type AnyTabCalls = Record<string, (payload?: unknown) => unknown>

/** What is sent with a type. */
export type TabPayload<Calls extends TabCalls<Calls>, Type extends keyof Calls> = Parameters<Calls[Type]>[0]

/** What a request of a type is answered with. */
export type TabAnswer<Calls extends TabCalls<Calls>, Type extends keyof Calls> = Awaited<ReturnType<Calls[Type]>>

/** The arguments behind the type: the payload may be left out where it may be undefined. */
type Sent<Payload, Rest extends unknown[]> = undefined extends Payload
  ? [payload?: Payload, ...rest: Rest]
  : [payload: Payload, ...rest: Rest]

export interface TabsOptions {
  /** Tabs of one origin that give the same name belong together. */
  readonly name: string
  /**
   * Term of office in milliseconds: a visible candidate takes over from a hidden leader that has led for that long.
   * Default: 10,000. `Infinity`: never.
   */
  readonly term?: number | undefined
  /**
   * For how many milliseconds a tab may say nothing, while something is expected of it, before the others go on without
   * it (it is frozen, or its thread is blocked). Default: 800.
   */
  readonly silenceMs?: number | undefined
}

/** An open tab. */
export interface TabInfo {
  readonly id: string
  readonly visible: boolean
  readonly leader: boolean
  /** Whether it may come to lead, or leads. */
  readonly candidate: boolean
}

/** What another tab broadcast. */
export interface TabMessage<Payload> {
  /** The id of the tab that sent it. */
  readonly from: string
  readonly payload: Payload
}

export interface TabContext {
  /** The id of the tab that asks. */
  readonly from: string
  /** Stays the same where a request is handed on to another provider: what is kept by it is done once. */
  readonly requestId: string
}

export interface RequestOptions {
  /** Gives up waiting. The provider may still carry the request out. */
  readonly signal?: AbortSignal | undefined
}

export interface ProvideOptions {
  /** Only while this tab leads; at other times requests go to whoever else provides, or wait. Default: false. */
  readonly whileLeading?: boolean | undefined
}

/** What `provide` returns. */
export interface Provision {
  /** Takes no more requests. Those that have begun are still answered. */
  stop(): void
}

/** The tabs of one origin, seen from one of them. */
export interface Tabs<Calls extends TabCalls<Calls> = AnyTabCalls> {
  /** This tab's id, new with every `createTabs`. */
  readonly id: string
  readonly isLeader: boolean
  /** The id of the tab that leads, `undefined` while none does. Emits the present one at once. */
  readonly leader$: Observable<string | undefined>
  /** The tabs that are open, oldest first, this one among them. Emits the present ones at once. */
  readonly tabs$: Observable<readonly TabInfo[]>
  /** Makes this tab a candidate: it leads once no tab that stood before it does. */
  stand(): void
  /** Gives up leadership, to the next candidate, and candidacy. `stand()` again to join the end of the queue. */
  abdicate(): void
  /**
   * Asks whoever provides `type`: the leader if it does, else this tab, else the oldest that does. Waits until someone
   * does. A request whose provider closes, dies or falls silent goes to the next one; no provider is made to run it
   * twice, but where one died or fell silent in the middle of it, the next one begins it anew. The payload is copied at
   * once.
   *
   * Rejects with what the handler threw, as RowcastError with its `code` (`handler` if it has none) and message; with
   * StoreClosedError when these tabs are closed; with the signal's reason; with RowcastError of code `tabs` for a payload
   * that can't be copied to another tab.
   */
  request<Type extends keyof Calls & string>(
    type: Type,
    ...sent: Sent<TabPayload<Calls, Type>, [options?: RequestOptions]>
  ): Promise<TabAnswer<Calls, Type>>
  /**
   * Answers requests and receives notices of `type`. The answer is copied. Throws RowcastError with code `tabs` where
   * this tab already provides it.
   */
  provide<Type extends keyof Calls & string>(
    type: Type,
    handler: (
      payload: TabPayload<Calls, Type>,
      context: TabContext,
    ) => TabAnswer<Calls, Type> | PromiseLike<TabAnswer<Calls, Type>>,
    options?: ProvideOptions,
  ): Provision
  /**
   * Tells whoever provides `type`, without an answer. Like a request it waits for a provider and is handed on until one
   * has received it. What its handler throws surfaces as an uncaught error where it ran. What still waits when these tabs
   * are closed is not delivered any more.
   */
  notify<Type extends keyof Calls & string>(type: Type, ...sent: Sent<TabPayload<Calls, Type>, []>): void
  /** Tells all other tabs that are open. */
  broadcast<Type extends keyof Calls & string>(type: Type, ...sent: Sent<TabPayload<Calls, Type>, []>): void
  /** What other tabs broadcast from now on. */
  messages$<Type extends keyof Calls & string>(type: Type): Observable<TabMessage<TabPayload<Calls, Type>>>
  /** Leaves: leadership goes to the next candidate, unanswered requests to the next provider, own ones reject. */
  close(): void
}
