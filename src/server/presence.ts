/** Someone who is told who else is here. */
export interface PresenceMember {
  readonly id: string
  sendPresence(others: readonly PresenceTold[]): void
}

/** What is told of a member: `null` once it is gone. */
export interface PresenceTold {
  readonly session: string
  readonly user?: string
  readonly state: unknown
}

/** How long changes are gathered before they are told, in milliseconds. */
const GATHER_MS = 40

/** Who is here, and what they say of themselves. Nothing of it is kept. */
export class Presence {
  readonly #members = new Map<PresenceMember, { readonly user: string | undefined; state: unknown }>()
  readonly #changed = new Map<string, { readonly told: PresenceTold; readonly from: PresenceMember }>()
  #timer: NodeJS.Timeout | undefined

  enter(member: PresenceMember, user: string | undefined): void {
    const others = [...this.#members].map(([other, { user: name, state }]) => told(other, name, state))
    this.#members.set(member, { user, state: {} })
    if (others.length > 0) member.sendPresence(others)
    this.#tell(member, told(member, user, {}))
  }

  set(member: PresenceMember, state: unknown): void {
    const known = this.#members.get(member)
    if (!known) return
    known.state = state
    this.#tell(member, told(member, known.user, state))
  }

  leave(member: PresenceMember): void {
    if (!this.#members.delete(member)) return
    this.#tell(member, told(member, undefined, null))
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

function told({ id }: PresenceMember, user: string | undefined, state: unknown): PresenceTold {
  return { session: id, ...(user !== undefined && { user }), state }
}
