import { RowcastError } from '../errors/index.ts'
import type { Damage, PersistedContents, QuotaEstimate } from './persistence.ts'

export type PersistenceErrorCode =
  /** Another session of this name is open, and was not closed within `waitMs`. */
  | 'persistence-in-use'
  /** There is no space left for a write, which has not taken effect. */
  | 'quota'
  /** What lies there is broken or was written by other code: `intact` is what is left, `damage` what is not. */
  | 'persistence-damaged'
  /** This platform has no such storage, or refuses it here. */
  | 'persistence-unavailable'
  /** What was kept has been removed under the session: by another tab, the browser or a user. It is written anew. */
  | 'persistence-lost'
  /** The platform failed for another reason, which `cause` gives. A write has not taken effect. */
  | 'persistence-failed'

/** Storage that can't be opened, read or written. */
export class PersistenceError extends RowcastError<PersistenceErrorCode> {
  override readonly name: string = 'PersistenceError'
  /** Bytes in use, with the code `quota` where the platform tells. */
  readonly usage: number | undefined
  /** Bytes that may be in use at most, with the code `quota` where the platform tells. */
  readonly quota: number | undefined
  /** What is left, with the code `persistence-damaged`. */
  readonly intact: PersistedContents | undefined
  /** What is broken, with the code `persistence-damaged`. */
  readonly damage: Damage | undefined

  constructor(
    code: PersistenceErrorCode,
    message: string,
    options?: {
      cause?: unknown
      estimate?: QuotaEstimate | undefined
      intact?: PersistedContents
      damage?: Damage
    },
  ) {
    super(code, message, options)
    this.usage = options?.estimate?.usage
    this.quota = options?.estimate?.quota
    this.intact = options?.intact
    this.damage = options?.damage
  }
}
