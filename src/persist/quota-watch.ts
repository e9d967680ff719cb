import { PersistenceError } from './persistence-error.ts'
import type { QuotaEstimate, QuotaOptions } from './persistence.ts'

/** Bytes that may be written between two looks, at most. */
const LOOK_AFTER = 2 ** 20

/** Tells the application once that little space is left, before a write fails. */
export class QuotaWatch {
  readonly #warnAt: number
  readonly #onQuota: QuotaOptions['onQuota']
  readonly #estimate: () => Promise<QuotaEstimate | undefined>
  #untilLook = 0
  #warned = false

  constructor(options: QuotaOptions, estimate: () => Promise<QuotaEstimate | undefined>) {
    this.#warnAt = options.warnAt ?? 0.8
    this.#onQuota = options.onQuota
    this.#estimate = estimate
  }

  /** Takes note of bytes written, and looks at the quota if they may have brought usage to where a warning is due. */
  async wrote(byteLength: number): Promise<void> {
    if (!this.#onQuota) return
    this.#untilLook -= byteLength
    if (this.#untilLook <= 0) await this.look()
  }

  async look(): Promise<void> {
    if (!this.#onQuota) return
    // A platform that fails to tell must not fail the write that went well.
    const estimate = await this.#estimate().catch(() => undefined)
    if (!estimate) return
    const left = estimate.quota * this.#warnAt - estimate.usage
    // Others write too: half the way, so that the look comes before the limit.
    this.#untilLook = left > 0 ? Math.min(LOOK_AFTER, left / 2) : LOOK_AFTER
    const isDue = left <= 0
    if (isDue && !this.#warned) this.#tell(estimate)
    this.#warned = isDue
  }

  #tell(estimate: QuotaEstimate): void {
    try {
      this.#onQuota?.(estimate)
    } catch (error) {
      // The listener's own failure is reported as such, not as one of the write.
      queueMicrotask(() => {
        throw error
      })
    }
  }
}

/** Throws `PersistenceError` for a `warnAt` that is no part of the quota. */
export function assertQuotaOptions({ warnAt }: QuotaOptions): void {
  if (warnAt === undefined || (warnAt > 0 && warnAt <= 1)) return
  throw new PersistenceError(
    'persistence-unavailable',
    `warnAt is ${warnAt}: give the part of the quota at which to warn, above 0 and up to 1`,
  )
}
