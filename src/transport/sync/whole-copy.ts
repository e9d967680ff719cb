import type { Arrival } from '../../store/index.ts'
import { netOf } from './rows-in.ts'

/** What a copy is up to. */
export interface UpTo {
  readonly position: string
  readonly sequence?: number | undefined
}

/** What is done with a copy that arrives. */
export interface WholeCopyUser {
  /** Shows some rows of it. Of a row that comes twice the later one holds. */
  add(rows: readonly Arrival[]): void
  /** Shows the last rows of it, with which it is complete. */
  complete(rows: readonly Arrival[], at: UpTo): void
  /** Puts all of it in the place of what there was. */
  replace(rows: readonly Arrival[], at: UpTo): void
}

/** Rows of which no more wait to be shown: what takes them in at once stops a page for a moment only. */
const MOST_ROWS = 1_000

/** Of the time, the part that goes into showing rows while more of them arrive. */
const SHARE = 1 / 2

/**
 * Everything, as it arrives. Where there was nothing its rows show as they come: a few at a time, so that a page goes on
 * meanwhile, and the fewer times the longer it takes those who are told. Where there was something it takes its place whole.
 */
export class WholeCopy {
  readonly #user: WholeCopyUser
  readonly #showsAtOnce: boolean
  #rows: Arrival[] = []
  /** When the next rows are to be shown, as `performance.now` says. */
  #due = 0

  /** @param showsAtOnce whether there was nothing before */
  constructor(showsAtOnce: boolean, user: WholeCopyUser) {
    this.#showsAtOnce = showsAtOnce
    this.#user = user
  }

  take(rows: readonly Arrival[], at: UpTo | undefined): void {
    for (const row of rows) this.#rows.push(row)
    if (at) {
      const last = netOf(this.#rows)
      this.#rows = []
      if (this.#showsAtOnce) this.#user.complete(last, at)
      else
        this.#user.replace(
          last.filter(({ op }) => op !== 'delete'),
          at,
        )
      return
    }
    const now = performance.now()
    if (!this.#showsAtOnce || (now < this.#due && this.#rows.length < MOST_ROWS)) return
    const some = this.#rows
    this.#rows = []
    this.#user.add(some)
    const took = performance.now() - now
    this.#due = performance.now() + took * (1 / SHARE - 1)
  }

  /** It is not gone on with. */
  forget(): void {
    this.#rows = []
  }
}
