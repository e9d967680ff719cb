import { BehaviorSubject, distinctUntilChanged, map, type Observable } from 'rxjs'

/**
 * A value, and those who are told of it, in the order of all that the store tells. Whoever changes it in answer leaves
 * nobody with an older one: each is told what it is by then.
 */
export class Latest<Value> {
  /** The values of this: each once, the present one first. Completes with `complete`. */
  readonly value$: Observable<Value>
  readonly #changed = new BehaviorSubject<void>(undefined)
  readonly #tell: (run: () => void) => void
  #value: Value

  /** @param tell runs what tells subscribers, when it is their turn */
  constructor(value: Value, tell: (run: () => void) => void) {
    this.#value = value
    this.#tell = tell
    this.value$ = this.#changed.pipe(
      map(() => this.#value),
      distinctUntilChanged(),
    )
  }

  get value(): Value {
    return this.#value
  }

  set(value: Value): void {
    this.#value = value
    this.#tell(() => this.#changed.next())
  }

  complete(): void {
    this.#changed.complete()
  }
}
