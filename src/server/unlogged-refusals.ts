import type { Listener } from './decided.ts'
import type { RefusedTransaction } from './refusals.ts'

/** So many of a session, or of such a length together, become an entry of their own. */
const MAX_COUNT = 1_000
const MAX_LENGTH = 256 * 1024

type List = ReadonlyMap<string, RefusedTransaction>

/**
 * What was refused to sessions and is in no entry of the log yet. It is in the next one of the session: until then nothing
 * went in that it could be applied behind.
 */
export class UnloggedRefusals {
  #lists = new WeakMap<Listener, List>()

  /** What a batch comes to: nothing of it counts before it is kept. */
  stage(): StagedRefusals {
    return new StagedRefusals((session) => this.#lists.get(session))
  }

  keep(staged: StagedRefusals): void {
    for (const [session, list] of staged.lists) this.#lists.set(session, list)
  }
}

export class StagedRefusals {
  readonly lists: Map<Listener, Map<string, RefusedTransaction>> = new Map()
  readonly #before: (session: Listener) => List | undefined

  constructor(before: (session: Listener) => List | undefined) {
    this.#before = before
  }

  /** Takes note of a refusal; whether the session has so many by now that they are to be logged at once. */
  add(session: Listener, refused: RefusedTransaction): boolean {
    const list = this.#listOf(session)
    list.set(refused.id, refused)
    if (list.size >= MAX_COUNT) return true
    let length = 0
    for (const { id, reason } of list.values()) length += id.length + reason.length
    return length >= MAX_LENGTH
  }

  /** Those of a session, which are logged with what it is asked for. */
  take(session: Listener): readonly RefusedTransaction[] {
    const list = [...this.#listOf(session).values()]
    this.lists.set(session, new Map())
    return list
  }

  #listOf(session: Listener): Map<string, RefusedTransaction> {
    const list = this.lists.get(session) ?? new Map(this.#before(session))
    this.lists.set(session, list)
    return list
  }
}
