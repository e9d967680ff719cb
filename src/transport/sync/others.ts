import type { Observable } from 'rxjs'
import type { PresenceOther } from '../../store/index.ts'
import type { PresenceMessage } from '../protocol/messages.ts'
import { Latest } from './latest.ts'

/** Who else is here, as the server tells. */
export class Others {
  readonly #bySession = new Map<string, PresenceOther>()
  readonly #list: Latest<readonly PresenceOther[]>

  constructor(tell: (run: () => void) => void) {
    this.#list = new Latest<readonly PresenceOther[]>([], tell)
  }

  get list$(): Observable<readonly PresenceOther[]> {
    return this.#list.value$
  }

  take(changed: PresenceMessage['others']): void {
    for (const { session, user, name, state } of changed)
      if (state === null) this.#bySession.delete(session)
      else this.#bySession.set(session, { session, user, name, state })
    this.#list.set([...this.#bySession.values()])
  }

  /** The connection is gone, and with it whatever was known. */
  clear(): void {
    if (this.#bySession.size === 0) return
    this.#bySession.clear()
    this.#list.set([])
  }

  close(): void {
    this.#list.complete()
  }
}
