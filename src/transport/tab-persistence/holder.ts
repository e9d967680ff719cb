import { throwError } from 'rxjs'
import { PersistenceError } from '../../persist/index.ts'
import {
  decodeRecord,
  encodeRecord,
  loadIntact,
  type JournalRecord,
  type Loaded,
  type PersistenceSession,
  type SharingStore,
} from '../../store/index.ts'
import { canBeSame, otherUser, type Owner } from '../sync/owner.ts'
import { confirmedOnly, ownerOf, OwnRecords, readShared } from '../sync/own-records.ts'
import { isSyncRecord, type OwnRecord, type TabRecord } from '../sync/records.ts'
import { failed, type Ask, type Told } from './calls.ts'
import { lifeLock, lockFree, openTabs } from './locks.ts'

/** The one that has the persistence open: keeps the base from its own store, and what the others wait for. */
export class Holder {
  readonly #name: string
  readonly #tab: string
  readonly #real: PersistenceSession
  readonly #others = new Map<string, OwnRecords>()
  readonly #watched = new Set<string>()
  readonly #closed = new AbortController()
  readonly #serving = new Set<Promise<Told>>()
  #store: SharingStore | undefined
  /** Whether what is there is damaged, and nothing was written in its place. */
  #isDamaged: boolean
  #settle: (store: SharingStore | undefined) => void = () => undefined
  /** Resolves with the store that keeps the base from now on, with `undefined` where there will be none. */
  readonly #attached = new Promise<SharingStore | undefined>((resolve) => (this.#settle = resolve))
  /** Of which database it is. */
  #database: string | undefined
  /** Whose it was when it was opened. */
  readonly #owner: Owner | undefined
  /** Of whose schema the base is. */
  #version: number | undefined
  /** What was there and is intact, without what stores that are still open wait for. */
  readonly contents: Loaded['contents']
  /** What said that something is damaged. */
  readonly cause: unknown
  /** What is left of stores that are gone: of the one that kept the base before, and of others. */
  readonly left: readonly JournalRecord[]

  static async open(name: string, tab: string, real: PersistenceSession): Promise<Holder> {
    try {
      return new Holder({ name, tab, real, found: await loadIntact(real), open: await openTabs(name) })
    } catch (error) {
      await real.close()
      throw error
    }
  }

  private constructor(given: {
    readonly name: string
    readonly tab: string
    readonly real: PersistenceSession
    readonly found: Loaded
    readonly open: ReadonlySet<string>
  }) {
    this.#name = given.name
    this.#tab = given.tab
    this.#real = given.real
    const { snapshot, records, damage } = given.found.contents
    this.cause = given.found.cause
    this.#isDamaged = damage !== undefined
    const { base, baseBytes, own, tabs } = readShared(records)
    const kept = base.filter(isSyncRecord).find((record) => record.type === 'database')
    this.#database = kept?.name
    this.#owner = ownerOf(base)
    this.#version = kept?.version
    const gone: TabRecord[] = []
    for (const [tab, kept] of tabs)
      // What this tab waits for its own store knows best.
      if (given.open.has(tab) && tab !== given.tab) this.#others.set(tab, kept)
      else if (tab !== given.tab) gone.push(...kept.list.map((record) => tagged(tab, record)))
    // Of what lies before a gap, only the base is still before it.
    const gaps = damage?.gaps.map((gap) => ({ ...gap, before: readShared(records.slice(0, gap.before)).base.length }))
    this.contents = {
      snapshot,
      records: [...baseBytes, ...gone.map(encodeRecord)],
      ...(damage && gaps && { damage: { ...damage, gaps } }),
    }
    this.left = [...own.list, ...gone.map(({ record }) => record)]
  }

  /** From now on what others leave behind is taken over. */
  attach(store: SharingStore): void {
    this.#store = store
    this.#database = store.database
    this.#version = store.version
    for (const tab of this.#others.keys()) this.#watch(tab)
    this.#settle(store)
  }

  /** What is there is not this tab's store's: it stays as it is. */
  leave(): void {
    this.#settle(undefined)
  }

  append(records: readonly Uint8Array[]): Promise<void> {
    return this.#real.append(records)
  }

  async replace(snapshot: Uint8Array, records: readonly Uint8Array[]): Promise<void> {
    const others = [...this.#others].flatMap(([tab, kept]) =>
      kept.list.map((record) => encodeRecord(tagged(tab, record))),
    )
    await this.#real.replace(snapshot, [...records, ...others])
    this.#isDamaged = false
  }

  /** Whether what was written is still there. */
  async isWhole(): Promise<boolean> {
    return (await this.#real.isWhole?.()) ?? true
  }

  async answer(ask: Ask): Promise<Told> {
    const answering = this.#answer(ask).catch((error: unknown) => failed(error))
    this.#serving.add(answering)
    try {
      return await answering
    } finally {
      this.#serving.delete(answering)
    }
  }

  /** Carries out what has begun, and lets go. */
  async close(): Promise<void> {
    this.#closed.abort()
    await Promise.all(this.#serving)
    await this.#real.close()
  }

  async #answer(ask: Ask): Promise<Told> {
    switch (ask.kind) {
      case 'base': {
        if (this.#isDamaged && !(await this.#isMended())) return { kind: 'gone' }
        const { snapshot, records } = await this.#real.load()
        return { kind: 'base', snapshot, records: confirmedOnly(readShared(records).base).map(encodeRecord) }
      }
      case 'estimate':
        return { kind: 'estimate', estimate: await this.#real.estimate() }
      case 'whole':
        await this.#assureWhole()
        return { kind: 'done' }
      case 'append':
        this.#assertSame(ask.database, ask.owner)
        await this.#real.append(this.#take(ask.tab, ask.records))
        return { kind: 'done' }
    }
  }

  /** Whether what is kept is of this database and user, as far as it says. */
  keeps(database: string | undefined, owner: Owner): boolean {
    return (this.#database === undefined || this.#database === database) && this.#isOf(owner)
  }

  /** Whether a store may keep the base: one of an older version of the schema would write over what it can't read. */
  isKeptBy({ database, owner, version }: Pick<SharingStore, 'database' | 'owner' | 'version'>): boolean {
    return this.keeps(database, owner) && (this.#version ?? 0) <= version
  }

  /** What was written is there, or is written anew. */
  async #assureWhole(): Promise<void> {
    if (this.#store) await this.#store.saved()
    else if (!(await this.isWhole()))
      throw new PersistenceError('persistence-lost', `what '${this.#name}' kept was removed: try again`)
  }

  /** Waits until something whole is there. Gives whether it came to that before this closes; rejects where it can't be written. */
  async #isMended(): Promise<boolean> {
    const { signal } = this.#closed
    const closed = new Promise<false>((resolve) => signal.addEventListener('abort', () => resolve(false)))
    const store = signal.aborted ? false : await Promise.race([this.#attached, closed])
    if (store) await store.saved()
    return store !== false
  }

  #isOf(owner: Owner): boolean {
    return canBeSame(this.#store?.owner ?? this.#owner ?? {}, owner)
  }

  #assertSame(database: string | undefined, owner: Owner): void {
    if (this.keeps(database, owner)) return
    if (!this.#isOf(owner)) throw otherUser(this.#database ?? this.#name)
    throw new PersistenceError(
      'persistence-in-use',
      `'${this.#name}' keeps database '${this.#database}', which is open in another tab: give '${database}' a name of its own`,
    )
  }

  #take(tab: string, encoded: readonly Uint8Array[]): Uint8Array[] {
    const records = encoded.map((bytes) => decodeRecord(bytes) as OwnRecord)
    if (tab !== this.#tab) {
      const kept = this.#others.get(tab) ?? new OwnRecords()
      this.#others.set(tab, kept)
      for (const record of records) kept.take(record)
      this.#watch(tab)
    }
    return records.map((record) => encodeRecord(tagged(tab, record)))
  }

  #watch(tab: string): void {
    if (!this.#store || this.#watched.has(tab)) return
    this.#watched.add(tab)
    this.#inherit(tab).catch((error: unknown) => {
      if (!this.#closed.signal.aborted) throwError(() => error).subscribe()
    })
  }

  /** Once a store is gone, what it waited for is this one's. */
  async #inherit(tab: string): Promise<void> {
    const { signal } = this.#closed
    await lockFree(lifeLock(this.#name, tab), signal)
    if (signal.aborted) return
    this.#watched.delete(tab)
    const kept = this.#others.get(tab)
    // A store that is closing takes nothing over: it stays for who opens next.
    if (!kept || this.#store?.adopt(kept.list)) this.#others.delete(tab)
  }
}

function tagged(tab: string, record: OwnRecord): TabRecord {
  return { type: 'tab', tab, record }
}
