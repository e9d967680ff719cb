import { BehaviorSubject, map, type Observable } from 'rxjs'
import { rowIdOf, type ChangeSet } from '../../changes/index.ts'
import { RejectedError, StoreClosedError, type RowcastError } from '../../errors/index.ts'
import type { PendingLayer, PendingTransaction } from '../../store/index.ts'
import type { WireChange, WireTransaction } from '../protocol/messages.ts'

/** A transaction that waits for the server's verdict. */
export interface Waiting {
  readonly id: string
  readonly wire: WireTransaction
  readonly changes: ChangeSet
  /** The version of the schema that it was made for. */
  readonly version: number
  /** Its layer in the store; none for one that shows only once it is confirmed. */
  readonly layer: PendingLayer | undefined
  /** Whether it was sent on this connection. */
  sent: boolean
  /** What it took of the connection, in bytes, where it was sent. */
  bytes: number
  /** What it was last sent in, where that was long: it goes again with the same, so that what has arrived of it is of use. */
  together: readonly Waiting[] | undefined
  /** Those who were to be decided before anything that was committed after them: while one holds, it is not sent. */
  readonly behind: readonly Turn[]
  readonly confirmed: () => void
  readonly refused: (error: RowcastError) => void
}

/** The turn of something that is decided on what is confirmed: after all that waits already, before all that comes later. */
export interface Turn {
  /** Whether all that came before it has its verdict. */
  hasCome(): boolean
  /** Lets what came later go. */
  end(): void
}

/** The transactions that are not confirmed, in the order in which they were committed. */
export class Outbox {
  readonly #waiting = new Map<string, Waiting>()
  /** The list is made only for those who look at it. */
  readonly #changed = new BehaviorSubject<void>(undefined)
  readonly #tell: (run: () => void) => void
  /** Who puts a row, by table and key: the last to do so last. */
  readonly #puts = new Map<string, Set<string>>()
  #unsent: Waiting[] = []
  #inFlightBytes = 0
  /** Why no verdicts come for now. */
  #suspended: RowcastError | undefined
  readonly #turns = new Set<Turn>()

  /** @param tell runs what tells subscribers, when it is their turn */
  constructor(tell: (run: () => void) => void) {
    this.#tell = tell
  }

  get pending$(): Observable<readonly PendingTransaction[]> {
    return this.#changed.pipe(map(() => this.list()))
  }

  get size(): number {
    return this.#waiting.size
  }

  /**
   * Puts a transaction behind the others. The promise tells its verdict; it rejects with RejectedError for a refusal, and
   * with StoreClosedError or SyncEndedError where none will come. Nobody need wait for it: a refusal is in `rejected$` as
   * well.
   */
  enter(one: Pick<Waiting, 'id' | 'wire' | 'changes' | 'layer' | 'version'>): Promise<void> {
    const verdict = new Promise<void>((confirmed, refused) => {
      const behind = one.layer ? [...this.#turns] : []
      const waiting: Waiting = { ...one, sent: false, bytes: 0, together: undefined, behind, confirmed, refused }
      this.#waiting.set(one.id, waiting)
      for (const change of one.wire.changes) {
        if (change.op !== 'put') continue
        const place = rowIdOf(change)
        const puts = this.#puts.get(place)
        if (puts) puts.add(one.id)
        else this.#puts.set(place, new Set([one.id]))
      }
      this.#unsent.push(waiting)
      if (this.#suspended) refused(this.#suspended)
      this.changed()
    })
    // Not swallowed: whoever waits for it is told, and `rejected$` tells everybody.
    verdict.catch(() => undefined)
    return verdict
  }

  /**
   * Those without which a transaction would be another one: that put the rows which it changes, or that it undoes. Were
   * they refused, it would change what others have put there, or changed.
   */
  requiredBy(changes: readonly WireChange[], undoes: ChangeSet | undefined): string[] {
    const found = new Set<string>()
    if (this.#waiting.size === 0) return []
    for (const change of changes) {
      const id = change.op === 'put' ? undefined : [...(this.#puts.get(rowIdOf(change)) ?? [])].at(-1)
      if (id !== undefined) found.add(id)
    }
    if (undoes) for (const { id, changes: set } of this.#waiting.values()) if (set === undoes) found.add(id)
    return [...found]
  }

  /** Takes a turn: optimistic transactions that enter from now on are not sent before it ends. */
  takeTurn(): Turn {
    const before = this.all().filter(({ layer }) => layer)
    const turn: Turn = {
      hasCome: () => before.every(({ id }) => !this.#waiting.has(id)),
      end: () => void this.#turns.delete(turn),
    }
    this.#turns.add(turn)
    return turn
  }

  all(): Waiting[] {
    return [...this.#waiting.values()]
  }

  get(id: string): Waiting | undefined {
    return this.#waiting.get(id)
  }

  /** The next ones to send, oldest first; they count as sent. */
  take(limit: number): Waiting[] {
    const taken = this.#unsent.filter(({ behind }) => !behind.some((turn) => this.#turns.has(turn))).slice(0, limit)
    for (const waiting of taken) waiting.sent = true
    this.#unsent = this.#unsent.filter(({ sent }) => !sent)
    return taken
  }

  /** One of those that were taken goes out, and takes so many bytes. */
  weigh(waiting: Waiting, bytes: number): void {
    waiting.bytes = bytes
    this.#inFlightBytes += bytes
  }

  /** Puts back what does not go out yet. */
  putBack(waiting: readonly Waiting[]): void {
    for (const one of waiting) one.sent = false
    this.#unsent.unshift(...waiting)
  }

  /** A new connection: everything is to be sent again, in order. */
  resend(): void {
    this.#unsent = [...this.#waiting.values()]
    this.#inFlightBytes = 0
    for (const waiting of this.#unsent) {
      waiting.sent = false
      waiting.bytes = 0
    }
  }

  /** How many were sent and wait for their verdict. */
  get inFlight(): number {
    return this.#waiting.size - this.#unsent.length
  }

  /** What they took, in bytes. */
  get inFlightBytes(): number {
    return this.#inFlightBytes
  }

  confirm(waiting: Waiting): void {
    this.#remove(waiting)
    waiting.confirmed()
  }

  refuse(waiting: Waiting, code: string, reason: string): void {
    this.#remove(waiting)
    waiting.refused(new RejectedError(code, reason))
  }

  /**
   * No verdicts come until `resume`: whoever waits for one is told so, and whoever will. What is waited for stays, and is
   * sent again; but for what shows only once it is confirmed, which nobody would hear of.
   */
  suspend(error: RowcastError): void {
    this.#suspended = error
    for (const waiting of this.all()) {
      waiting.refused(error)
      if (!waiting.layer) this.#remove(waiting)
    }
  }

  resume(): void {
    this.#suspended = undefined
  }

  /** Whoever still waits for a verdict learns that none will come here. */
  close(): void {
    for (const { refused } of this.#waiting.values()) refused(new StoreClosedError())
    this.#changed.complete()
  }

  #remove(waiting: Waiting): void {
    this.#waiting.delete(waiting.id)
    this.#inFlightBytes -= waiting.bytes
    for (const change of waiting.wire.changes) {
      if (change.op !== 'put') continue
      const place = rowIdOf(change)
      const puts = this.#puts.get(place)
      if (puts?.delete(waiting.id) && puts.size === 0) this.#puts.delete(place)
    }
    if (!waiting.sent) this.#unsent = this.#unsent.filter((one) => one !== waiting)
    this.changed()
  }

  /** Something about one of them is other than before. */
  changed(): void {
    this.#tell(() => this.#changed.next())
  }

  list(): PendingTransaction[] {
    return [...this.#waiting.values()].map(({ id, changes, layer }) => ({
      id,
      label: changes.label,
      changes,
      hidden: layer?.evicted ?? false,
    }))
  }
}
