import { setImmediate as immediate } from 'node:timers/promises'
import { serializeValue, type CellValue } from '../changes/index.ts'
import type { Author } from './author.ts'
import { namesRows } from './visible-presence.ts'

/** Someone who is told who else is here. */
export interface PresenceMember {
  readonly id: string
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
  /** Those of whom it has not been told. */
  readonly missing: Set<Part>
}

/** How long changes are gathered before they are told, in milliseconds. */
const GATHER_MS = 40
/** Telling takes one part of so many of the server's time. */
const SHARE = 4
/** Others of one message, and characters after which no other is added. */
const MAX_OTHERS = 50
const MESSAGE_SIZE = 512 * 1024
/** What is done in one go, in characters that are put together; a text that is made for one alone costs more. */
const SLICE = 4 * 1024 * 1024
const OWN_TEXT = 32

/**
 * Who is here, and what they say of themselves. Nothing of it is kept. A state replaces the one before: who is slow to
 * read gets the newest only, and nothing waits for anybody.
 */
export class Presence {
  readonly #members = new Map<PresenceMember, Part>()
  readonly #changed = new Set<Part>()
  readonly #most: number
  /** Bytes of all that is said. */
  #bytes = 0
  #timer: NodeJS.Timeout | undefined
  #telling = false
  /** When telling may go on, as `performance.now` says. */
  #restUntil = 0
  #closed = false

  /** @param most bytes that all together may say of themselves */
  constructor(most: number) {
    this.#most = most
  }

  enter(member: PresenceMember, author: Author): void {
    const missing = new Set(this.#members.values())
    const part: Part = { member, author, state: {}, text: '', namesRows: undefined, bytes: 0, missing }
    this.#members.set(member, part)
    this.#deliver(part, SLICE)
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
    this.#changed.add(part)
    this.#schedule()
  }

  /** Tells the others, after a while: the more telling takes, the longer. */
  #schedule(): void {
    if (this.#telling || this.#closed) return
    const ms = Math.max(GATHER_MS, this.#restUntil - performance.now())
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      void this.#tellAll()
    }, ms).unref()
  }

  async #tellAll(): Promise<void> {
    this.#telling = true
    const changed = new Set(this.#changed)
    this.#changed.clear()
    const together = messageOf(changed)
    let work = SLICE
    let from = performance.now()
    let tookMs = 0
    for (const part of Array.from(this.#members.values())) {
      if (work <= 0) {
        tookMs += performance.now() - from
        await immediate()
        if (this.#closed) return
        work = SLICE
        from = performance.now()
      }
      // It may have left meanwhile.
      if (!this.#members.has(part.member)) continue
      const { member, missing } = part
      if (together !== undefined && missing.size === 0 && !changed.has(part) && !member.shown && member.hasRoom) {
        member.sendPresence(together)
        work -= together.length
      } else {
        for (const one of changed) if (one !== part) missing.add(one)
        work = this.#deliver(part, work - changed.size * OWN_TEXT)
      }
    }
    this.#restUntil = performance.now() + SHARE * (tookMs + performance.now() - from)
    this.#telling = false
    if (this.#changed.size > 0 || this.#isAnyoneMissing()) this.#schedule()
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
