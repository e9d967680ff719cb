import { throwError } from 'rxjs'
import { StoreClosedError } from '../../errors/index.ts'
import { PersistenceError } from '../../persist/index.ts'
import {
  decodeRecord,
  encodeRecord,
  type DamagedContents,
  type JournalRecord,
  type PersistedContents,
  type Persistence,
  type QuotaEstimate,
  type SharedSession,
  type SharingStore,
} from '../../store/index.ts'
import type { Provision } from '../../tabs/index.ts'
import type { Owner } from '../sync/owner.ts'
import { isSyncRecord, type OwnRecord, type SyncRecord } from '../sync/records.ts'
import { askHolder, failed, holderCall, unwrap, type Ask, type Lane, type Told } from './calls.ts'
import { Holder } from './holder.ts'
import { holderLock, lifeLock, takeLock } from './locks.ts'

/** How long the persistence is left alone after it could not be opened. */
const RETRY_MS = 100

/** What a session is opened with. */
export interface TabSessionOptions {
  readonly name: string
  readonly persistence: Persistence
  readonly lane: Lane
  /** Called once the session is closed. */
  readonly left: () => void
}

/**
 * The session of one tab. It waits for the lock of the holder from the start; until it has it, it is a guest: the holder
 * gives it the base, and keeps for it what it waits for.
 */
export class TabSession implements SharedSession {
  readonly #options: TabSessionOptions
  readonly #tab: string = crypto.randomUUID()
  readonly #closing = new AbortController()
  /** Resolves when it is being closed. */
  readonly #ended = new Promise<undefined>((resolve) =>
    this.#closing.signal.addEventListener('abort', () => resolve(undefined)),
  )
  #leave: () => void = () => undefined
  #turn: Promise<() => void> | undefined
  #holder: Holder | undefined
  #provision: Provision | undefined
  /** Whether what is kept as the base comes from this tab's store. */
  #keepsBase = false
  #promoting: Promise<void> | undefined
  /** Why the persistence can't be opened, though it is this tab's turn. */
  #failure: unknown
  #contents: Holder['contents'] | undefined
  #decide: (damaged: DamagedContents, cause: unknown) => void = () => undefined
  #attached: (store: SharingStore) => void = () => undefined
  readonly #store = new Promise<SharingStore>((resolve) => (this.#attached = resolve))
  /** Of the own transactions that the holder was told of, or is being told of, those that it takes for not settled. */
  readonly #mine = new Set<string>()
  #selected: readonly JournalRecord[] = []
  /** The store, once it has what was kept. */
  #sharing: SharingStore | undefined
  #closed: Promise<void> | undefined

  static async open(options: TabSessionOptions): Promise<TabSession> {
    const session = new TabSession(options)
    try {
      await session.#begin()
      return session
    } catch (error) {
      await session.close()
      throw error
    }
  }

  private constructor(options: TabSessionOptions) {
    this.#options = options
  }

  async #begin(): Promise<void> {
    const { name, lane, persistence } = this.#options
    this.#leave = await takeLock(lifeLock(name, this.#tab))
    const turn = takeLock(holderLock(name), this.#closing.signal)
    const asking = new AbortController()
    const base = askHolder(lane, name, { kind: 'base' }, asking.signal)
    // Whichever comes second may fail unheard: it was given up.
    turn.catch(() => undefined)
    base.catch(() => undefined)
    this.#turn = turn
    const first = await Promise.race([turn, base])
    if (typeof first !== 'function') {
      this.#contents = asContents(first)
      this.#promoting = turn.then(
        () => this.#promote(),
        (error: unknown) => {
          if (!this.#closing.signal.aborted) throwError(() => error).subscribe()
        },
      )
      return
    }
    asking.abort()
    const holder = await Holder.open(name, this.#tab, await persistence.open())
    this.#contents = holder.contents
    this.#keepsBase = true
    this.#holder = holder
    this.#serve()
    this.#promoting = this.#attachTo(holder)
  }

  async #attachTo(holder: Holder): Promise<void> {
    const store = await Promise.race([this.#store, this.#ended])
    if (store) holder.attach(store)
  }

  /** The holder is gone, and this tab is next. */
  async #promote(): Promise<void> {
    const store = await Promise.race([this.#store, this.#ended])
    const holder = store && (await this.#openReal())
    if (!store || !holder) return
    // What waits in the copy of another database or user is not this store's to send, nor is what it can't read.
    const isKept = !this.#closing.signal.aborted && holder.isKeptBy(store)
    if (isKept && !(await this.#mayMend(holder, store))) return
    this.#holder = holder
    this.#serve()
    if (!isKept) {
      holder.leave()
      return
    }
    store.adopt(holder.left)
    store.fold()
    holder.attach(store)
  }

  /**
   * Whether something may be written over what is there: where that is damaged, the application says so. If it does not, it
   * stays as it is, and others may open it as such.
   */
  async #mayMend(holder: Holder, store: SharingStore): Promise<boolean> {
    const { snapshot, records, damage } = holder.contents
    if (!damage) return true
    try {
      this.#decide({ snapshot, records, damage }, holder.cause)
      return true
    } catch (error) {
      // Told beside what the store fails with.
      await holder.close().catch((cause: unknown) => void throwError(() => cause).subscribe())
      this.#failure = error
      this.#serve()
      store.fail(error)
      return false
    }
  }

  /** Until it succeeds: whoever had it open may take a moment to let go of it. */
  async #openReal(): Promise<Holder | undefined> {
    const { name, persistence } = this.#options
    while (!this.#closing.signal.aborted) {
      try {
        return await Holder.open(name, this.#tab, await persistence.open())
      } catch (error) {
        const isTaken = error instanceof PersistenceError && error.code === 'persistence-in-use'
        if (!isTaken && this.#failure === undefined) {
          this.#failure = error
          throwError(() => error).subscribe()
          this.#serve()
        }
      }
      await Promise.race([new Promise((resolve) => setTimeout(resolve, RETRY_MS)), this.#ended])
    }
    return undefined
  }

  /** Answers the others, if only with why it can't. */
  #serve(): void {
    this.#provision ??= this.#options.lane.provide(holderCall(this.#options.name), (ask) =>
      this.#holder ? this.#holder.answer(ask as Ask) : failed(this.#failure),
    )
  }

  async #close(): Promise<void> {
    this.#closing.abort()
    // What is asked from now on waits for the next holder.
    this.#provision?.stop()
    try {
      await this.#promoting
      this.#provision?.stop()
      await this.#holder?.close()
    } finally {
      // A turn that was given up or failed holds nothing: whoever waited for it was told.
      const release = await this.#turn?.catch(() => undefined)
      release?.()
      this.#leave()
      this.#options.left()
    }
  }

  async load(): Promise<PersistedContents> {
    this.#assertOpen()
    const { damage, ...intact } = this.#contents ?? asContents(await this.#ask({ kind: 'base' }))
    this.#contents = undefined
    if (!damage) return intact
    throw new PersistenceError(
      'persistence-damaged',
      `what '${this.#options.name}' keeps is damaged: ${damage.findings.join('; ')}`,
      { cause: this.#holder?.cause, intact, damage },
    )
  }

  decideBy(decide: (damaged: DamagedContents, cause: unknown) => void): void {
    this.#decide = decide
  }

  select(records: readonly JournalRecord[]): readonly JournalRecord[] {
    if (this.#keepsBase) return records
    this.#selected = (records as readonly SyncRecord[]).flatMap((record): JournalRecord[] => {
      if (record.type === 'commit') this.#mine.add(record.id)
      if (record.type === 'database' || record.type === 'owner') return []
      if (record.type !== 'arrive') return [record]
      return record.commits.flatMap(({ id }) => (id !== undefined && this.#mine.has(id) ? [{ type: 'known', id }] : []))
    })
    return this.#selected
  }

  async append(records: readonly Uint8Array[]): Promise<void> {
    this.#assertOpen()
    if (this.#keepsBase) return this.#holder!.append(records)
    if (records.length === 0) return
    const selected = this.#selected
    await this.#ask({ kind: 'append', tab: this.#tab, database: this.#database, owner: this.#owner, records })
    for (const { type, id } of selected as readonly { type: string; id?: string }[])
      if (type === 'known' && id !== undefined) this.#mine.delete(id)
  }

  async replace(snapshot: Uint8Array, records: readonly Uint8Array[] = []): Promise<void> {
    this.#assertOpen()
    if (this.#sharing && this.#holder?.isKeptBy(this.#sharing)) {
      // Whatever is appended after this lies on this store's snapshot; if it fails, the journal replaces before it appends.
      this.#keepsBase = true
      return this.#holder.replace(snapshot, records)
    }
    const own = records
      .map(decodeRecord)
      .filter(isSyncRecord)
      .filter((record) => record.type === 'commit' || record.type === 'rejection' || record.type === 'schema')
    const only: OwnRecord = { type: 'only', ids: own.flatMap((record) => (record.type === 'schema' ? [] : record.id)) }
    await this.#ask({
      kind: 'append',
      tab: this.#tab,
      database: this.#database,
      owner: this.#owner,
      records: [...own, only].map(encodeRecord),
    })
    this.#mine.clear()
    for (const { type, id } of own) if (type === 'commit') this.#mine.add(id)
  }

  async isWhole(): Promise<boolean> {
    this.#assertOpen()
    // The store that keeps the base asks for itself; what others have there is written anew with it.
    if (this.#holder) return this.#holder.isWhole()
    await this.#ask({ kind: 'whole' })
    return true
  }

  async estimate(): Promise<QuotaEstimate | undefined> {
    this.#assertOpen()
    const told = await this.#ask({ kind: 'estimate' })
    return told.kind === 'estimate' ? told.estimate : undefined
  }

  attach(store: SharingStore): void {
    this.#sharing = store
    this.#attached(store)
  }

  assertAlone(): void {
    if (!this.#holder)
      throw new PersistenceError(
        'persistence-in-use',
        `'${this.#options.name}' is open in another tab: only stores that sync can share it, so give this one \`sync\` or close the other`,
      )
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #ask(ask: Ask): Promise<Told> {
    // What this tab holds itself does not depend on others.
    if (!this.#holder && this.#failure !== undefined) throw asError(this.#failure)
    if (!this.#holder) return askHolder(this.#options.lane, this.#options.name, ask)
    return this.#holder.answer(ask).then(unwrap)
  }

  get #database(): string | undefined {
    return this.#sharing?.database
  }

  get #owner(): Owner {
    return this.#sharing?.owner ?? {}
  }

  #assertOpen(): void {
    if (this.#closed) throw new StoreClosedError(`the session of '${this.#options.name}'`)
  }
}

function asContents(told: Told): Holder['contents'] {
  if (told.kind !== 'base') throw new PersistenceError('persistence-failed', 'another tab answered with something else')
  return { snapshot: told.snapshot, records: told.records }
}

/** Also where an application's `onDamaged` threw something else. */
function asError(failure: unknown): Error {
  return failure instanceof Error ? failure : new Error(String(failure))
}
