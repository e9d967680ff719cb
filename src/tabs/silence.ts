import { isLate } from './late.ts'

export interface SilenceOptions {
  readonly silenceMs: number
  /** Whether something is expected of a tab. */
  readonly isAwaited: (id: string) => boolean
  readonly ping: (id: string) => void
  /** A tab has said nothing for `silenceMs`, for the `attempt`th time. */
  readonly onSilent: (id: string, attempt: number) => void
}

/** Asks tabs of which something is expected whether they still run. Costs nothing while nothing is expected. */
export class Silence {
  readonly #options: SilenceOptions
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>()

  constructor(options: SilenceOptions) {
    this.#options = options
  }

  /** Something is expected of a tab from now on. */
  expect(id: string): void {
    if (!this.#timers.has(id)) this.#after(this.#options.silenceMs / 4, id, () => this.#ask(id, 1))
  }

  /** A tab has said something. */
  heard(id: string): void {
    if (!this.#timers.has(id)) return
    this.#forget(id)
    if (this.#options.isAwaited(id)) this.expect(id)
  }

  close(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer)
    this.#timers.clear()
  }

  #ask(id: string, attempt: number): void {
    const { silenceMs, isAwaited, ping, onSilent } = this.#options
    if (!isAwaited(id)) return this.#forget(id)
    ping(id)
    const askedAt = performance.now()
    const boundMs = (silenceMs * 3) / 4
    this.#after(boundMs, id, () => {
      if (!isAwaited(id)) return this.#forget(id)
      if (isLate(askedAt, boundMs, silenceMs)) return this.#ask(id, attempt)
      onSilent(id, attempt)
      this.#ask(id, attempt + 1)
    })
  }

  #after(ms: number, id: string, run: () => void): void {
    clearTimeout(this.#timers.get(id))
    this.#timers.set(id, setTimeout(run, ms))
  }

  #forget(id: string): void {
    clearTimeout(this.#timers.get(id))
    this.#timers.delete(id)
  }
}
