import { BehaviorSubject, type Observable } from 'rxjs'
import { ConstraintError, ValidationError, type RowcastError } from '../errors/index.ts'
import type { HistoryStep, SkippedStep } from './api.ts'

/**
 * The steps that could not be undone, or done again, and were set aside: the newest, within a number. One that only an
 * open draft stood in the way of can go back to its place when that draft ends.
 */
export class SkippedSteps {
  readonly #limit: number
  readonly #steps$ = new BehaviorSubject<readonly SkippedStep[]>([])
  /** As `#steps$` will tell. */
  #steps: readonly SkippedStep[] = []
  /** Those that wait for the end of a draft, with its id. */
  readonly #waiting = new Map<SkippedStep, string>()

  constructor(limit: number) {
    this.#limit = limit
  }

  get steps$(): Observable<readonly SkippedStep[]> {
    return this.#steps$.asObservable()
  }

  /** Sets a step aside. Returns those that are let go of for it. */
  add(step: HistoryStep, action: SkippedStep['action'], reason: RowcastError): readonly SkippedStep[] {
    const skipped = Object.freeze({ step, action, reason })
    const draftId = reason instanceof ConstraintError || reason instanceof ValidationError ? reason.draftId : undefined
    if (draftId !== undefined) this.#waiting.set(skipped, draftId)
    const dropped = this.#steps.slice(0, Math.max(0, this.#steps.length + 1 - this.#limit))
    this.#steps = [...this.#steps, skipped]
    this.#remove(dropped)
    return dropped
  }

  /** Lets go of the oldest, if there is one beside the newest. */
  drop(): SkippedStep | undefined {
    const [oldest, another] = this.#steps
    if (!oldest || !another) return undefined
    this.#remove([oldest])
    return oldest
  }

  /** Takes out the steps that only a draft stood in the way of. */
  freedBy(draftId: string): readonly SkippedStep[] {
    return this.#takeWaiting((skipped) => this.#waiting.get(skipped) === draftId)
  }

  /** Takes out those of the waiting steps of which something is true. */
  waitingWith(isIts: (step: HistoryStep) => boolean): readonly SkippedStep[] {
    return this.#takeWaiting(({ step }) => isIts(step))
  }

  /** Something else was committed: nothing that waits can be done again. */
  overtake(): void {
    for (const skipped of this.#waiting.keys()) if (skipped.action === 'redo') this.#waiting.delete(skipped)
  }

  #takeWaiting(isMeant: (skipped: SkippedStep) => boolean): readonly SkippedStep[] {
    const taken = Array.from(this.#waiting.keys()).filter(isMeant)
    this.#remove(taken)
    return taken
  }

  #remove(skipped: readonly SkippedStep[]): void {
    if (skipped.length === 0) return
    for (const one of skipped) this.#waiting.delete(one)
    this.#steps = this.#steps.filter((one) => !skipped.includes(one))
  }

  clear(): void {
    this.#steps = []
    this.#waiting.clear()
  }

  /** Tells what the list has become, if it has. */
  tell(): void {
    if (this.#steps$.value !== this.#steps) this.#steps$.next(this.#steps)
  }

  close(): void {
    this.#steps$.complete()
  }
}
