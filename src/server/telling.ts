import { randomUUID } from 'node:crypto'
import { serializeValue } from '../changes/index.ts'
import { sourceOf, type PartSender, type Transfer, type WireChange, type WireCommit } from '../transport/index.ts'
import type { Access } from './access.ts'
import { commitsText } from './commits-text.ts'
import type { Committed, Decided, Listener } from './decided.ts'
import type { Point } from './history.ts'
import { isAsSent } from './as-sent.ts'
import { LeavingRows } from './leaving-rows.ts'
import type { LiveDatabase } from './live-database.ts'
import { Missed } from './missed.ts'
import { MAX_REASON } from './refusals.ts'
import { RowCopy } from './row-copy.ts'
import type { RowScan, UpTo } from './row-scan.ts'
import { rowsTexts } from './rows-text.ts'
import type { Viewer } from './viewer.ts'

/** UTF-16 units of one message of many changes, about. */
const MESSAGE_LENGTH = 16 * 1024
/** Rows of which a client that reads slowly is told later; beyond, it comes back for what it has missed. */
const MAX_MISSED = 2_000
/** Verdicts that wait likewise. */
const MAX_VERDICTS = 20_000
/** Rows of a whole copy that is made in one go, for all who come at once. */
const FEW_ROWS = 1_500

/** What a client is sent to begin with, whichever of its connections it comes over. */
export interface Copying {
  /** The transfer that brings it. */
  readonly transfer: string
  readonly copy: RowCopy
  telling: Telling | undefined
  /** What it is up to; `undefined` while it is not all made. */
  point: Point | undefined
}

/** What was under way to a client when its connection broke. */
export interface Suspended {
  readonly transfer: Transfer
  readonly view: string
  readonly database: LiveDatabase
  /** Of a whole copy. */
  readonly copying: Copying | undefined
  /** What the client is up to once all of it has arrived; `undefined` where that is not known yet. */
  readonly point: Point | undefined
  /** What the database was up to when the connection broke. */
  readonly sequence: number
}

export interface TellingOptions {
  readonly database: LiveDatabase
  readonly access: Access
  readonly viewer: Viewer
  readonly sender: PartSender
  /** Whose own transactions are told otherwise. */
  readonly author: Listener
  /** Whether the client is told when it is up to date. */
  readonly saysLive: boolean
  /** Told of what fails while nobody waits for it. */
  readonly failed: (error: unknown) => void
  /** Too much has gathered. */
  readonly tooSlow: () => void
}

/**
 * What one connection is told of its database, in order. While something long goes out, or the line is full, only the
 * rows that change are noted: what they are by then is told once there is room. So whoever reads slowly skips what
 * nobody needs any more, and holds nothing but keys.
 */
export class Telling {
  readonly #options: TellingOptions
  /** Up to where everything was told; `undefined` until there is a copy. */
  #told: Point | undefined
  /** What has changed since, where it was not told at once. */
  #missed: Missed | undefined
  /** Answers to the client's own transactions, which are given after that. */
  #verdicts: string[] = []
  #copying: Copying | undefined
  readonly #scans = new Set<{ close(): void }>()
  /** What the client is up to after each long answer that is under way. */
  readonly #points = new Map<string, Point>()
  #catchingUp = false
  #saidLive = false
  #closed = false

  constructor(options: TellingOptions) {
    this.#options = options
  }

  /** Begins with everything. Between transactions. */
  startWithCopy(): void {
    const { database, viewer, sender } = this.#options
    if (viewer.seesAll && viewer.rowCount <= FEW_ROWS) {
      this.#told = database.point
      // Many who come at once get the same.
      const texts = database.wholeText(() => rowsTexts(viewer.allRows(), this.#at(database.point)))
      this.#sendTexts(texts)
      if (!sender.busy) this.#sayLive()
      return
    }
    const transfer = randomUUID()
    const copying: Omit<Copying, 'copy'> & { copy?: RowCopy } = { transfer, telling: this, point: undefined }
    const copy = new RowCopy({
      database,
      viewer,
      finished: () => {
        copying.point = database.point
        copying.telling?.copied(database.point)
        return this.#at(database.point)
      },
    })
    this.#copying = Object.assign(copying, { copy })
    sender.stream(transfer, viewer.seesAll ? database.size : 0, copy)
  }

  /** Begins where the client is, with what has changed since. Between transactions. */
  startWith(changes: readonly WireChange[]): void {
    this.#told = this.#options.database.point
    this.#sendChanges(changes)
    if (!this.#options.sender.busy) this.#sayLive()
  }

  /**
   * Goes on with what was under way to the client, and then with what has changed since that, where that is known. Between
   * transactions.
   */
  resume({ transfer, copying, point }: Suspended, changes: readonly WireChange[] | undefined): void {
    const { sender, database } = this.#options
    this.#copying = copying
    if (copying) copying.telling = this
    if (point) this.#points.set(transfer.id, point)
    sender.resume(transfer)
    if (!changes) return
    this.#told = database.point
    this.#sendChanges(changes)
    if (!sender.busy) this.#sayLive()
  }

  /** All rows up to a point are told: what happens from now on comes after them. */
  copied(point: Point): void {
    this.#told = point
    this.#missed = new Missed(this.#options.viewer)
  }

  /** Adds the rows of a subscription that the viewer has by now. */
  addRows(subscription: string): void {
    const { database, viewer } = this.#options
    const finished = (): UpTo => {
      viewer.markSent(subscription, true)
      this.#scans.delete(copy)
      this.copied(database.point)
      return this.#at(database.point)
    }
    viewer.markSent(subscription, false)
    // Its rows are those of the end: a client that went on from before that would keep what came and went in between.
    const untold = (): Missed => this.#missed!
    const copy: RowCopy = new RowCopy({ database, viewer, subscription, untold, finished })
    this.#scan(copy)
  }

  /** Takes a subscription away, and its rows with it. The viewer has it until they have left, which is waited for. */
  removeRows(subscription: string): Promise<void> {
    const { database, viewer } = this.#options
    const finished = (): UpTo => {
      this.#scans.delete(rows)
      this.#missed?.mayBeHad()
      return this.#at(this.#told!)
    }
    const rows: LeavingRows = new LeavingRows({ database, viewer, subscription, finished })
    this.#scan(rows)
    return rows.closed
  }

  /** Told by the database, in order. */
  decided({ committed, outcomes }: Decided): void {
    if (this.#closed) return
    if (this.#missed || !this.#told || this.#options.sender.busy) {
      this.#defer(committed, outcomes)
      return
    }
    // In the order in which they were decided: a verdict may rest on the one before.
    let told = 0
    for (const { author, id, outcome, before } of outcomes) {
      if (author !== this.#options.author || outcome.kind === 'committed') continue
      if (before > told) this.#tell(committed.slice(told, before))
      told = before
      this.#send(verdictText(id, outcome))
    }
    if (told < committed.length) this.#tell(told === 0 ? committed : committed.slice(told))
  }

  /** There is room: what has gathered is told. */
  idle(): void {
    if (this.#closed || !this.#told || this.#catchingUp) return
    this.#points.clear()
    if (!this.#missed && this.#verdicts.length === 0) {
      this.#sayLive()
      return
    }
    this.#catchingUp = true
    this.#options.database
      .run(() => this.#catchUp())
      .catch(this.#options.failed)
      .finally(() => {
        this.#catchingUp = false
      })
  }

  /** The connection has ended. Gives what can be gone on with on another. */
  close(): Suspended | undefined {
    if (this.#closed) return undefined
    this.#closed = true
    for (const scan of this.#scans) scan.close()
    const { sender, database, viewer } = this.#options
    const transfer = sender.close()
    const copying = this.#copying
    if (copying) copying.telling = undefined
    const isCopy = transfer !== undefined && copying?.transfer === transfer.id
    const point = isCopy ? copying.point : transfer && this.#points.get(transfer.id)
    if (isCopy || point) {
      const { sequence } = database
      return {
        transfer: transfer!,
        view: viewer.view,
        database,
        copying: isCopy ? copying : undefined,
        point,
        sequence,
      }
    }
    copying?.copy.close()
    return undefined
  }

  #scan(source: RowScan): void {
    this.#scans.add(source)
    // From here on the client is told of changes once its rows are complete.
    this.#missed ??= new Missed(this.#options.viewer)
    this.#options.sender.stream(randomUUID(), 0, source)
  }

  #tell(committed: readonly Committed[]): void {
    const { database, viewer, author } = this.#options
    const point = committed.at(-1)!
    this.#told = point
    const mine = committed.some((one) => one.author === author)
    if (viewer.seesAll && !mine) {
      this.#send(commitsText(committed, () => database.positions.encode(point, viewer.view)))
      return
    }
    const commits = committed.flatMap((one): WireCommit[] => this.#commitOf(one) ?? [])
    if (commits.length > 0) this.#send(serializeValue({ type: 'commits', commits, ...this.#at(point) }).slice(1))
  }

  /** A commit as this client is told of it; `undefined` where it sees nothing of it. */
  #commitOf({ record, transitions, author, sent }: Committed): WireCommit[] | undefined {
    const own = author === this.#options.author
    const changes = this.#options.viewer.changes(transitions)
    if (!own && changes.length === 0) return undefined
    const { id, label, by, name } = record
    return [
      {
        ...(own && id !== undefined && { id }),
        ...(label !== undefined && !own && { label }),
        ...(by !== undefined && !own && { by }),
        ...(name !== undefined && !own && { name }),
        ...(!(own && isAsSent(sent!, changes)) && { changes }),
      },
    ]
  }

  /** Notes what is told later. */
  #defer(committed: readonly Committed[], outcomes: Decided['outcomes']): void {
    if (this.#told) {
      this.#missed ??= new Missed(this.#options.viewer)
      for (const { transitions } of committed) this.#missed.note(transitions)
    }
    for (const { author, id, outcome } of outcomes)
      if (author === this.#options.author) this.#verdicts.push(verdictText(id, outcome))
    if ((this.#missed?.size ?? 0) > MAX_MISSED || this.#verdicts.length > MAX_VERDICTS) this.#options.tooSlow()
  }

  /** Between transactions. */
  #catchUp(): void {
    const { database, sender } = this.#options
    if (this.#closed) return
    const changes = this.#missed?.changes(database.store) ?? []
    this.#missed = undefined
    this.#told = database.point
    this.#sendChanges(changes)
    for (const text of this.#verdicts.splice(0)) this.#send(text)
    if (!sender.busy) this.#sayLive()
  }

  /** Changes that belong together, in as many messages as they need. */
  #sendChanges(changes: readonly WireChange[]): void {
    if (changes.length === 0) return
    this.#sendTexts(changesTexts(changes, this.#at(this.#told!)))
  }

  #sendTexts(texts: readonly string[]): void {
    if (texts.length === 1) this.#send(texts[0]!)
    else this.#options.sender.stream(this.#newTransfer(), bytesOf(texts), sourceOf(texts))
  }

  #send(text: string): void {
    this.#options.sender.send(text, () => this.#newTransfer())
  }

  /** After it the client is up to what was told so far. */
  #newTransfer(): string {
    const id = randomUUID()
    this.#points.set(id, this.#told!)
    return id
  }

  #sayLive(): void {
    if (this.#saidLive || !this.#options.saysLive) return
    this.#saidLive = true
    this.#options.sender.send('"type":"live"}', randomUUID)
  }

  /** The number itself is for those who see everything: its gaps would tell the others of what they don't see. */
  #at(point: Point): UpTo {
    const { database, viewer, access } = this.#options
    const position = database.positions.encode(point, viewer.view)
    return { position, ...(access.unrestricted && { sequence: point.sequence }) }
  }
}

function verdictText(id: string, outcome: Decided['outcomes'][number]['outcome']): string {
  if (outcome.kind !== 'refused') return serializeValue({ type: 'known', id }).slice(1)
  const { code, reason } = outcome
  return serializeValue({ type: 'refused', id, code, reason: reason.slice(0, MAX_REASON) }).slice(1)
}

/** One commit of these changes: the last of its messages says what the client is up to. */
function changesTexts(changes: readonly WireChange[], at: object): string[] {
  const texts: string[] = []
  let part: string[] = []
  let length = 0
  const textOf = (rest: string): string => `"type":"commits","commits":[{"changes":[${part.join(',')}]}]${rest}`
  for (const change of changes) {
    const text = serializeValue(change)
    part.push(text)
    length += text.length
    if (length < MESSAGE_LENGTH) continue
    texts.push(textOf('}'))
    part = []
    length = 0
  }
  texts.push(textOf(`,${serializeValue(at).slice(1)}`))
  return texts
}

function bytesOf(texts: readonly string[]): number {
  return texts.reduce((bytes, text) => bytes + Buffer.byteLength(text), 0)
}
