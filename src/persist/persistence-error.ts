import { RowcastError } from '../errors/index.ts'
import type { QuotaEstimate } from './persistence.ts'

export type PersistenceErrorCode =
  /** Another session of this name is open. */
  | 'persistence-in-use'
  /** There is no space left for a write, which has not taken effect. */
  | 'quota'
  /** What lies there is broken or was written by other code. */
  | 'persistence-damaged'
  /** This platform has no such storage, or refuses it here. */
  | 'persistence-unavailable'
  /** The platform failed for another reason, which `cause` gives. A write has not taken effect. */
  | 'persistence-failed'

/** Storage that can't be opened, read or written. */
export class PersistenceError extends RowcastError<PersistenceErrorCode> {
  /** Bytes in use, with the code `quota` where the platform tells. */
  readonly usage: number | undefined
  /** Bytes that may be in use at most, with the code `quota` where the platform tells. */
  readonly quota: number | undefined

  constructor(
    code: PersistenceErrorCode,
    message: string,
    options?: { cause?: unknown; estimate?: QuotaEstimate | undefined },
  ) {
    super(code, message, options)
    this.usage = options?.estimate?.usage
    this.quota = options?.estimate?.quota
  }
}
