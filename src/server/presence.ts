import type { Author } from './author.ts'

/** Someone who is told who else is here. */
export interface PresenceMember {
  readonly id: string
  sendPresence(others: readonly PresenceTold[]): void
}

/** What is told of a member: `null` once it is gone. */
export interface PresenceTold {
  readonly session: string
  readonly user?: string
  readonly name?: string
  readonly state: unknown
}

/** How long changes are gathered before they are told, in milliseconds. */
const GATHER_MS = 40

/** Who is here, and what they say of themselves. Nothing of it is kept. */
export class Presence {
  readonly #members = new Map<PresenceMember, { readonly author: Author; state: unknown }>()
  readonly #changed = new Map<string, { readonly told: PresenceTold; readonly from: PresenceMember }>()
  #timer: NodeJS.Timeout | undefined

  enter(member: PresenceMember, author: Author): void {
    const others = [...this.#members].map(([other, { author: one, state }]) => told(other, one, state))
    this.#members.set(member, { author, state: {} })
    if (others.length > 0) member.sendPresence(others)
    this.#tell(member, told(member, author, {}))
  }

  set(member: PresenceMember, state: unknown): void {
    const known = this.#members.get(member)
    if (!known) return
    known.state = state
    this.#tell(member, told(member, known.author, state))
  }

  leave(member: PresenceMember): void {
    if (!this.#members.delete(member)) return
    this.#tell(member, told(member, {}, null))
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#changed.clear()
  }

  #tell(from: PresenceMember, one: PresenceTold): void {
    this.#changed.set(from.id, { told: one, from })
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      const changed = [...this.#changed.values()]
      this.#changed.clear()
      for (const member of this.#members.keys()) {
        const others = changed.filter((one) => one.from !== member).map((one) => one.told)
        if (others.length > 0) member.sendPresence(others)
      }
    }, GATHER_MS).unref()
  }
}

function told({ id }: PresenceMember, { by, name }: Author, state: unknown): PresenceTold {
  return { session: id, ...(by !== undefined && { user: by }), ...(name !== undefined && { name }), state }
}
