import { setTimeout as delay } from 'node:timers/promises'
import { serializeValue, type CellValue, type Steps } from '../changes/index.ts'
import type { Author } from './author.ts'
import { namesRows } from './visible-presence.ts'

/** Someone who is told who else is here. */
export interface PresenceMember {
  readonly id: string
  /** Whose it is: those of one user share what is done for them at once. */
  readonly owner: string
  /** Whether it can be told more now. What it was not told yet is told when there is room, as it is then. */
  readonly hasRoom: boolean
  /** What it is shown of a state; `undefined` for one who is shown everything. */
  readonly shown: ((state: CellValue) => CellValue) | undefined
  /** A message, without the opening brace. */
  sendPresence(text: string): void
}

/** One who is here, or was, and what the others have not been told. */
interface Part {
  readonly member: PresenceMember
  readonly author: Author
  state: CellValue
  /** What the others are told of it: made once, however many they are. */
  text: string
  /** Whether the state names rows, which not everyone may see; `undefined` while nobody has asked. */
  namesRows: boolean | undefined
  /** Of what it says of itself. */
  bytes: number
  /** When it changed last, in the order of all changes. */
  changedAt: number
  /** The last change before it came: of those up to it, it was told as it came. */
  readonly since: number
  /** Those of whom it has not been told. */
  readonly missing: Set<Part>
}

/** How long changes are gathered before they are told, in milliseconds. */
const GATHER_MS = 40
/** Telling rests so many times as long as it took: it has a fifth of the server's time at most. */
const SHARE = 4
/** It rests no longer than this at a time, in milliseconds, however many have come meanwhile. */
const LONGEST_REST_MS = 2_000
/** Others of one message, and characters after which no other is added. */
const MAX_OTHERS = 50
const MESSAGE_SIZE = 512 * 1024
/** What is done in one go, in characters that are put together; a text that is made for one alone costs more. */
const SLICE = 512 * 1024
/** The same for those of one user who come, until the next time that all are told. */
const FIRST_SLICE = 2 * 1024 * 1024
const OWN_TEXT = 32

/**
 * Who is here, and what they say of themselves. Nothing of it is kept. A state replaces the one before: who is slow to
 * read gets the newest only, and nothing waits for anybody.
 */
export class Presence {
  readonly #members = new Map<PresenceMember, Part>()
  readonly #changed = new Set<Part>()
  readonly #most: number
  readonly #between: (work: () => void) => Promise<void>
  readonly #failed: (error: unknown) => void
  /** How many changes there have been. */
  #changes = 0
  /** Bytes of all that is said. */
  #bytes = 0
  #timer: NodeJS.Timeout | undefined
  #telling = false
  /** Work that is left for those who come, by their user. */
  readonly #first = new Map<string, number>()
  /** When telling may go on, as `performance.now` says. */
  #restUntil = 0
  #closed = false

  /**
   * @param most bytes that all together may say of themselves
   * @param between runs something between two transactions: who sees which rows is asked of the state
   * @param failed is told what that rejected with: the others are told with the next change
   */
  constructor(most: number, between: (work: () => void) => Promise<void>, failed: (error: unknown) => void) {
    this.#most = most
    this.#between = between
    this.#failed = failed
  }

  enter(member: PresenceMember, author: Author): void {
    const missing = new Set(this.#members.values())
    const part: Part = {
      member,
      author,
      state: {},
      text: '',
      namesRows: undefined,
      bytes: 0,
      changedAt: 0,
      since: this.#changes,
      missing,
    }
    this.#members.set(member, part)
    const from = performance.now()
    this.#first.set(member.owner, this.#deliver(part, this.#first.get(member.owner) ?? FIRST_SLICE))
    this.#rest(from)
    this.#change(part, {}, toldText(part, '{}'))
  }

  /** `false` where it is more than all together may say, and nothing has changed. `text` is the state as it travels. */
  set(member: PresenceMember, state: CellValue, text: string): boolean {
    const part = this.#members.get(member)
    if (!part) return false
    const bytes = Buffer.byteLength(text)
    const all = this.#bytes + bytes - part.bytes
    if (bytes > part.bytes && all > this.#most) return false
    this.#bytes = all
    part.bytes = bytes
    this.#change(part, state, toldText(part, text))
    return true
  }

  leave(member: PresenceMember): void {
    const part = this.#members.get(member)
    if (!part) return
    this.#members.delete(member)
    this.#bytes -= part.bytes
    part.missing.clear()
    this.#change(part, null, toldText({ member, author: {} }, 'null'))
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
    this.#changed.clear()
  }

  #change(part: Part, state: CellValue, text: string): void {
    part.state = state
    part.text = text
    part.namesRows = undefined
    part.changedAt = ++this.#changes
    this.#changed.add(part)
    this.#schedule()
  }

  /** What was begun then has taken its time: nothing is told for several times as long. */
  #rest(from: number): void {
    const now = performance.now()
    this.#restUntil = Math.min(Math.max(this.#restUntil, now) + SHARE * (now - from), now + LONGEST_REST_MS)
  }

  /** Tells the others, after a while: the more telling takes, the longer. */
  #schedule(): void {
    if (this.#telling || this.#closed) return
    const ms = Math.max(GATHER_MS, this.#restUntil - performance.now())
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#tellAll().catch((error: unknown) => {
        this.#telling = false
        this.#failed(error)
      })
    }, ms).unref()
  }

  async #tellAll(): Promise<void> {
    this.#telling = true
    this.#first.clear()
    const changed = new Set(this.#changed)
    this.#changed.clear()
    const together = messageOf(changed)
    let first = Infinity
    for (const { changedAt } of changed) first = Math.min(first, changedAt)
    const telling = this.#tell(changed, together, first)
    for (;;) {
      let isDone = true
      let from = 0
      await this.#between(() => {
        from = performance.now()
        if (!this.#closed) isDone = telling.next().done === true
      })
      if (this.#closed) return
      if (isDone) {
        this.#rest(from)
        break
      }
      await delay(SHARE * (performance.now() - from), undefined, { ref: false })
      if (this.#closed) return
    }
    this.#telling = false
    if (this.#changed.size > 0 || this.#isAnyoneMissing()) this.#schedule()
  }

  /** Tells everyone what has changed, a slice in a step. */
  *#tell(changed: ReadonlySet<Part>, together: string | undefined, first: number): Steps<void> {
    let work = SLICE
    for (const part of Array.from(this.#members.values())) {
      if (work <= 0) {
        yield
        work = SLICE
      }
      // It may have left meanwhile.
      if (!this.#members.has(part.member)) continue
      const { member, missing, since } = part
      const isLikeAll = since < first && missing.size === 0 && !changed.has(part) && !member.shown
      if (together !== undefined && isLikeAll && member.hasRoom) {
        member.sendPresence(together)
        work -= together.length
      } else {
        for (const one of changed) if (one !== part && one.changedAt > since) missing.add(one)
        work = this.#deliver(part, work - changed.size * OWN_TEXT)
      }
    }
  }

  #isAnyoneMissing(): boolean {
    for (const { missing } of this.#members.values()) if (missing.size > 0) return true
    return false
  }

  /** Tells one what it has not been told, while there is room and work left. Returns the work that is left. */
  #deliver({ member, missing }: Part, work: number): number {
    while (missing.size > 0 && work > 0 && member.hasRoom) {
      const { shown } = member
      const texts: string[] = []
      let size = 0
      for (const one of missing) {
        if (texts.length === MAX_OTHERS || size > MESSAGE_SIZE || work <= 0) break
        missing.delete(one)
        const isShared = !shown || !(one.namesRows ??= namesRows(one.state))
        const text = isShared ? one.text : toldText(one, serializeValue(shown(one.state)))
        texts.push(text)
        size += text.length
        work -= isShared ? text.length : one.text.length * OWN_TEXT
      }
      member.sendPresence(othersText(texts))
    }
    return work
  }
}

/** What everyone is told who can be told all of it at once. `undefined` where it is too much for one message. */
function messageOf(changed: ReadonlySet<Part>): string | undefined {
  if (changed.size === 0 || changed.size > MAX_OTHERS) return undefined
  const texts = Array.from(changed, ({ text }) => text)
  return texts.reduce((size, { length }) => size + length, 0) > MESSAGE_SIZE ? undefined : othersText(texts)
}

/** A message without its opening brace. */
function othersText(texts: readonly string[]): string {
  return `"type":"presence","others":[${texts.join(',')}]}`
}

function toldText({ member, author }: Pick<Part, 'member' | 'author'>, state: string): string {
  const { by: user, name } = author
  return `${JSON.stringify({ session: member.id, user, name }).slice(0, -1)},"state":${state}}`
}
