import { keyId, rowIdOf, type ChangeSet, type KeyId, type RowChange } from '../../changes/index.ts'
import { RowcastError, TransactionError } from '../../errors/index.ts'
import {
  isShared,
  Journal,
  type JournalRecord,
  PendingLayer,
  PendingLayers,
  type Arrival,
  type CommitOptions,
  type Folded,
  type PersistedContents,
  type StoreInternals,
  type SyncStart,
  type TableRows,
  type Tried,
} from '../../store/index.ts'
import type { WireChange, WireTransaction } from '../protocol/messages.ts'
import { Carrier } from './carrier.ts'
import { joined, type Owner } from './owner.ts'
import { Outbox, type Waiting } from './outbox.ts'
import { readShared, type SharedContents } from './own-records.ts'
import {
  assertSyncRecord,
  type ArrivedCommit,
  type ArriveRecord,
  type CommitRecord,
  type SchemaRecord,
  type SyncRecord,
} from './records.ts'
import { Rejections } from './rejections.ts'
import { netOf } from './rows-in.ts'
import { WholeCopy, type UpTo } from './whole-copy.ts'
import { toWire } from './wire.ts'

/** Arrivals of more rows than this go into a snapshot rather than a record, where one fits. */
const MANY_ROWS = 5_000

/**
 * The store as a copy of the server's database: what is confirmed, up to a position; above it what was committed here
 * and waits for its verdict; beside it what was refused. Where the store is kept, each thing that happens is noted, and
 * happens again when it is opened.
 */
export class Copy {
  readonly outbox: Outbox
  readonly rejections: Rejections
  readonly #internals: StoreInternals
  readonly #database: string
  #owner: Owner = {}
  /** Transactions that were there when it was opened. */
  #before: ReadonlySet<string> = new Set()
  /** Whether the server has said whose it is, and that it is who is here now. */
  #isOurs = false
  readonly #layers: PendingLayers
  readonly #carrier: Carrier
  /** Of which versions of the schema what is kept says what they were. */
  readonly #said = new Set<number>()
  #journal: Journal | undefined
  /** The journal of one that is somebody else's. */
  #left: Journal | undefined
  #position: string | undefined
  #sequence = 0
  #closed = false
  /** Everything, while it arrives. */
  #incoming: WholeCopy | undefined

  /**
   * @param database its name on the server
   * @param position what the store is up to already
   * @param isPart whether only a part of the database was asked for
   */
  constructor(internals: StoreInternals, database: string, position: string | undefined, isPart: boolean) {
    this.#database = database
    this.#internals = internals
    this.#carrier = new Carrier(internals.engine.schema)
    this.#position = position
    const tell = (run: () => void): void => internals.engine.enqueue(run)
    this.outbox = new Outbox(tell)
    this.#layers = new PendingLayers(internals.engine, { evicted: () => this.outbox.changed(), isPart })
    this.rejections = new Rejections({
      tell,
      assertUsable: (version) => this.#assertUsable(version),
      recommit: (changes, label) => internals.recommit(changes, label),
      dealt: (id) => this.#note({ type: 'dealt', id }),
    })
  }

  /** What the copy is up to, as the server said; `undefined` where it has to be fetched anew. */
  get position(): string | undefined {
    return this.#position
  }

  /** The last of the server's sequence numbers seen. */
  get sequence(): number {
    return this.#sequence
  }

  /** Whether anything is in view that the server has not confirmed. */
  get pending(): boolean {
    return this.#layers.size > 0
  }

  covers(rows: TableRows, id: KeyId): boolean {
    return this.#layers.covers(rows, id)
  }

  /**
   * What was kept happens again, in its order; what happens from now on is kept. Where it is shared with other tabs,
   * `adopted` is called whenever something that one of them left behind was taken over.
   */
  restore({ session, contents }: NonNullable<SyncStart['kept']>, adopted: () => void): void {
    const { tabs } = this.#repeatBase(contents)
    const journal = new Journal(session, contents, {
      fold: (isTight) => this.#fold(isTight),
      size: () => this.#internals.fileSize(),
    })
    this.#journal = journal
    // Of tabs that shared it, and are no more: ours from now on, also in what is kept.
    for (const kept of tabs.values()) this.#adopt(kept.list)
    this.#before = new Set(this.outbox.all().map(({ id }) => id))
    if (!isShared(session)) return
    const owner$ = (): Owner => this.#owner
    session.attach({
      database: this.#database,
      get owner() {
        return owner$()
      },
      version: this.#version,
      saved: () => journal.saved(),
      adopt: (records) => {
        if (this.#closed || !this.#journal) return false
        this.#adopt(records)
        adopted()
        return true
      },
      fold: () => this.#journal?.foldSoon(),
      fail: (error) => this.#journal?.fail(error),
    })
  }

  /** What was kept happens again, and is kept no further. Gives all of it as it is then. */
  repeat(contents: PersistedContents): Folded {
    for (const kept of this.#repeatBase(contents).tabs.values()) this.#adopt(kept.list)
    return this.#fold(false)
  }

  /** Runs a transaction on what is confirmed and takes it back: what it would do, and what it read. */
  tryOut<Result>(run: () => Result, label: string | undefined): Tried<Result> {
    return this.#internals.tryOut(run, label, this.#layers)
  }

  /** Who is here, as far as that is known. */
  own(owner: Owner): void {
    const before = this.#owner
    this.#owner = joined(before, owner)
    const { user, as } = this.#owner
    if (user !== before.user || as !== before.as) this.#note({ type: 'owner', ...this.#owner })
  }

  /** The server says who is here. Gives whether the copy is theirs; it is, where it was nobody's. */
  belongsTo(who: Owner): boolean {
    const { user } = this.#owner
    if (user !== undefined && user !== who.user) return false
    this.#isOurs = true
    this.own(who)
    return true
  }

  /**
   * It is somebody else's. What is kept stays theirs, and is sent by nobody else; here nothing of it is left. What was
   * committed here without knowing is kept as refused: it is not theirs to send either.
   */
  disown(code: string, reason: string): void {
    if (!this.#isOurs)
      for (const { id, layer } of this.outbox.all()) if (layer && !this.#before.has(id)) this.refuse(id, code, reason)
    this.#journal?.leave()
    this.#left = this.#journal
    this.#journal = undefined
    for (const { layer } of this.outbox.all()) if (layer) this.#layers.remove(layer)
    for (const { id } of this.rejections.all) this.rejections.forget(id)
    this.replace([], { position: '', sequence: undefined })
    this.#position = undefined
    this.#internals.engine.readOnly = true
  }

  /** Takes in what was committed here. The promise tells the server's verdict. */
  commit(set: ChangeSet, meant: readonly RowChange[], { ifUnchanged = false, undoes }: CommitOptions): Promise<void> {
    const id = crypto.randomUUID()
    const changes = toWire(set.changes, meant, ifUnchanged)
    const requires = this.outbox.requiredBy(changes, undoes)
    const layer = new PendingLayer(id, set.label)
    this.#layers.add(layer, set.changes, meant)
    const wire: WireTransaction = {
      id,
      changes,
      ...(set.label !== undefined && { label: set.label }),
      ...(ifUnchanged && { ifUnchanged }),
      ...(requires.length > 0 && { requires }),
    }
    const version = this.#version
    this.#saySchema(version)
    this.#note({ type: 'commit', id, set, wire, version })
    return this.outbox.enter({ id, changes: set, wire, layer, version })
  }

  /**
   * Takes in transactions that the server has confirmed, in their order: with `id`, those of ours; without `changes`,
   * exactly as they were sent. The copy is up to `position` with all of them: they are kept together or not at all.
   * Throws where it can't be taken in; then the copy can't be relied on.
   */
  arrive(
    commits: readonly { readonly id?: string | undefined; readonly changes?: readonly Arrival[] | undefined }[],
    at: { readonly position?: string | undefined; readonly sequence?: number | undefined },
  ): void {
    const ours: Waiting[] = []
    const arrived: ArrivedCommit[] = []
    this.#noting(() => {
      for (const { id, changes: told } of commits) {
        const waiting = id === undefined ? undefined : this.outbox.get(id)
        const changes = told ?? waiting?.wire.changes
        if (!changes)
          throw new RowcastError(
            'protocol',
            `transaction ${id} was confirmed as it was sent, and is not waited for here`,
          )
        this.#layers.arrive(changes, waiting?.layer)
        if (waiting) ours.push(waiting)
        arrived.push({ changes, ...(id !== undefined && { id }) })
      }
      this.#position = at.position
      this.#sequence = at.sequence ?? this.#sequence
      if (arrived.reduce((sum, { changes }) => sum + changes.length, 0) > MANY_ROWS)
        this.#journal?.noteLong(this.#arrival(arrived))
      else this.#note(this.#arrival(arrived))
      for (const waiting of ours) this.outbox.confirm(waiting)
    })
  }

  /** Whether everything is coming anew, and not all of it is here. */
  get isArriving(): boolean {
    return this.#incoming !== undefined
  }

  /** Everything is coming anew. */
  begin(): void {
    this.#incoming?.forget()
    this.#incoming = new WholeCopy(this.#isEmpty, {
      add: (rows) => this.#add(rows),
      replace: (rows, at) => this.replace(rows, at),
      complete: (rows, at) => {
        this.arrive([{ changes: rows }], at)
        // What came before it is in no record.
        this.#journal?.foldSoon()
      },
    })
  }

  /** Takes in more of everything; with `at` the last of it. */
  take(rows: readonly Arrival[], at: UpTo | undefined): void {
    if (!this.#incoming) this.begin()
    this.#incoming!.take(rows, at)
    if (at) this.#incoming = undefined
  }

  /** Whether there is nothing that has to be compared with what arrives. */
  get #isEmpty(): boolean {
    const { engine } = this.#internals
    return (
      !this.pending && engine.layers.empty && engine.rows.every((rows) => rows.schema.model.singleton || rows.isEmpty)
    )
  }

  /** Shows rows of a copy that is not complete: it is not up to anything yet, and not kept. */
  #add(rows: readonly Arrival[]): void {
    this.#position = undefined
    this.#internals.engine.holdEmissions(() => {
      if (!this.#layers.fillIn(rows)) this.#layers.arrive(netOf(rows))
    })
  }

  /** Takes in everything anew: what is here and not among these rows goes. */
  replace(rows: readonly Arrival[], at: UpTo): void {
    const { engine } = this.#internals
    const there = new Map(engine.rows.map((one) => [one.schema.model.name, new Set<KeyId>()]))
    for (const { table, key } of rows) there.get(table)?.add(keyId(key))
    const gone = engine.rows.flatMap((one) => {
      const table = one.schema.model.name
      return [...this.#layers.baseKeys(one)].flatMap(([id, key]): Arrival[] =>
        there.get(table)!.has(id) ? [] : [{ table, key, op: 'delete' }],
      )
    })
    this.arrive([{ changes: [...gone, ...rows] }], at)
  }

  /** A transaction of ours whose effect is in what has arrived already. */
  known(id: string): void {
    const waiting = this.outbox.get(id)
    if (!waiting) return
    const { layer } = waiting
    this.#noting(() => {
      if (layer) this.#layers.remove(layer)
      this.#note({ type: 'known', id })
      this.outbox.confirm(waiting)
    })
  }

  /** A transaction of ours that the server has refused: each of its cells falls back to what lies below. */
  refuse(id: string, code: string, reason: string): void {
    const waiting = this.outbox.get(id)
    if (!waiting) return
    const { layer, changes, version } = waiting
    this.#noting(() => {
      if (layer) {
        // First: nobody is to hear that it is no longer pending and not yet that it was refused.
        this.rejections.add({ id, changes, code, reason, version })
        this.#layers.remove(layer)
        this.#internals.refused(changes, code, reason)
        this.#note({ type: 'refused', id, code, reason })
      }
      this.outbox.refuse(waiting, code, reason)
    })
  }

  /** The copy can't be relied on: everything is to be fetched anew. */
  distrust(): void {
    this.#position = undefined
    // What is kept may differ from what is here: what comes next lies on this.
    this.#journal?.foldSoon()
  }

  async saved(): Promise<void> {
    await (this.#journal ?? this.#left)?.saved()
  }

  async close(): Promise<void> {
    this.#closed = true
    const kept = (this.#journal ?? this.#left)?.close()
    this.outbox.close()
    this.rejections.close()
    await kept
  }

  #repeatBase({ records }: PersistedContents): SharedContents {
    const shared = readShared(records)
    const base = shared.base.map((record) => this.#ours(record))
    for (const record of base) this.#repeat(record)
    return shared
  }

  #repeat(record: SyncRecord): void {
    switch (record.type) {
      case 'commit':
        this.#repeatCommit(this.#carrier.commit(record))
        break
      case 'arrive':
        this.arrive(record.commits, record)
        break
      case 'known':
        this.known(record.id)
        break
      case 'refused':
        this.refuse(record.id, record.code, record.reason)
        break
      case 'rejection':
        this.rejections.add(this.#carrier.rejection(record))
        break
      case 'dealt':
        this.rejections.forget(record.id)
        break
      case 'owner':
        this.#owner = joined({}, record)
        break
      case 'schema':
        this.#carrier.learn(record)
        this.#said.add(record.version)
        break
      case 'database':
      // Of other tabs' stores: `restore` tells them apart.
      case 'only':
      case 'tab':
    }
  }

  /** Throws RowcastError where what was kept is of another database: what waits in it would be sent to this one. */
  #ours(record: JournalRecord): SyncRecord {
    assertSyncRecord(record)
    if (record.type !== 'database' || record.name === this.#database) return record
    throw new RowcastError(
      'persistence',
      `the persistence keeps database '${record.name}', not '${this.#database}': give each database a name of its own`,
    )
  }

  #repeatCommit({ id, set, wire: noted, version, unseen = [] }: CommitRecord): void {
    const layer = new PendingLayer(id, set.label)
    for (const [table, key] of unseen) layer.lost.add(rowIdOf({ table, key }))
    const fits = version === this.#version
    const { schemaVersion: _, ...said } = noted
    const wire: WireTransaction = fits ? said : { ...said, schemaVersion: version }
    // What was made for another version of the schema can't be shown in this one.
    const seen = fits ? wire.changes.filter((change) => !layer.lost.has(rowIdOf(change))) : []
    if (seen.length > 0) this.#show(layer, seen)
    else layer.evicted = true
    // Who waited for the verdict is gone with the store of then.
    void this.outbox.enter({ id, changes: set, wire, layer, version })
  }

  #show(layer: PendingLayer, seen: readonly WireChange[]): void {
    try {
      this.#internals.repeat(seen, (changes, meant) => this.#layers.add(layer, changes, meant))
    } catch (error) {
      // It does not fit any more: it waits for its verdict unseen.
      if (!(error instanceof RowcastError)) throw error
      layer.evicted = true
    }
  }

  /** Enters what the store of another tab left behind, under its own ids: the server knows which it has applied. */
  #adopt(records: readonly JournalRecord[]): void {
    for (const record of records as readonly SyncRecord[]) {
      if (record.type === 'schema') {
        this.#carrier.learn(record)
      } else if (record.type === 'commit' && !this.outbox.get(record.id)) {
        const carried = this.#carrier.commit(record)
        this.#saySchema(carried.version)
        this.#note(carried)
        this.#repeatCommit(carried)
      } else if (record.type === 'rejection' && !this.rejections.has(record.id)) {
        const carried = this.#carrier.rejection(record)
        this.#saySchema(carried.version)
        this.#note(carried)
        this.rejections.add(carried)
      }
    }
  }

  #fold(isTight: boolean): Folded {
    const { user, as } = this.#owner
    const records: SyncRecord[] = [
      { type: 'database', name: this.#database, version: this.#version },
      this.#arrival([]),
      ...this.#schemas(),
    ]
    if (user !== undefined || as !== undefined) records.push({ type: 'owner', ...this.#owner })
    for (const rejection of this.rejections.all) records.push({ type: 'rejection', ...rejection })
    for (const { id, changes: set, wire, layer, version } of this.outbox.all())
      if (layer) {
        // What is of another version of the schema is never seen in this one.
        const unseen =
          version === this.#version ? layer.unseenOf(wire.changes).map(({ table, key }) => [table, key] as const) : []
        records.push({ type: 'commit', id, set, wire, version, ...(unseen.length > 0 && { unseen }) })
      }
    return { snapshot: this.#internals.exportFile(this.#layers, isTight), records }
  }

  /** What the versions were that anything is in the terms of, or may come to be: the store's among them. */
  #schemas(): SchemaRecord[] {
    const versions = [...this.rejections.all, ...this.outbox.all()].map(({ version }) => version)
    return [...new Set([this.#version, ...this.#said, ...versions])].flatMap(
      (version) => this.#carrier.schemaOf(version) ?? [],
    )
  }

  /** Before the first transaction of a version: with it, a newer one of the application can say what it did. */
  #saySchema(version: number): void {
    const record = this.#carrier.schemaOf(version)
    if (!record || this.#said.has(version) || !this.#journal) return
    this.#said.add(version)
    this.#note(record)
  }

  /** Throws where what was refused can't be dealt with now: it would be taken back with the transaction, or is in other terms. */
  #assertUsable(version: number | undefined): void {
    if (this.#internals.engine.inTransaction)
      throw new TransactionError('what was refused is retried or discarded outside of transactions')
    if (version === undefined || version === this.#version) return
    throw new RowcastError(
      'schema-version',
      `it was made for version ${version} of the schema, and can't be said in version ${this.#version}: do it anew, then discard it`,
    )
  }

  get #version(): number {
    return this.#internals.engine.schema.version
  }

  #arrival(commits: readonly ArrivedCommit[]): ArriveRecord {
    const { position, sequence } = this
    return { type: 'arrive', commits, ...(position !== undefined && { position }), sequence }
  }

  /**
   * Runs what changes the store, and notes it. Who is told of the change finds all in order, and may write in answer: that
   * is noted after it.
   */
  #noting(run: () => void): void {
    this.#internals.engine.holdEmissions(run)
  }

  #note(record: SyncRecord): void {
    this.#journal?.note(record)
  }
}
