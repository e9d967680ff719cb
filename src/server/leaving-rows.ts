import { rowIdOf, serializeValue, type Key } from '../changes/index.ts'
import type { MessageSource } from '../transport/index.ts'
import type { Decided, Listener } from './decided.ts'
import { Missed } from './missed.ts'
import type { ScanOptions } from './row-copy.ts'
import { RowWalk } from './row-walk.ts'
import { Turn } from './turns.ts'

/** The answer to an `unsubscribe`: the rows that no other subscription shows, found while others go on. */
export class LeavingRows implements MessageSource, Listener {
  readonly #options: ScanOptions & { readonly subscription: string }
  readonly #walk: RowWalk
  readonly #missed: Missed
  readonly #stop: () => void
  readonly #turn: Turn
  readonly #gone = new Map<string, readonly [table: string, key: Key]>()
  #ended = false

  constructor(options: ScanOptions & { readonly subscription: string }, turn: Turn = new Turn()) {
    const { database, viewer, subscription } = options
    this.#options = options
    this.#turn = turn
    this.#walk = new RowWalk(database, viewer, subscription)
    this.#missed = new Missed(viewer)
    this.#stop = database.listen(this)
  }

  decided({ committed }: Decided): void {
    for (const { transitions } of committed) this.#missed.note(transitions)
  }

  end(): void {
    this.close()
  }

  close(): void {
    this.#ended = true
    this.#stop()
  }

  async next(): Promise<string | undefined> {
    for (;;) {
      if (this.#ended) return undefined
      await this.#turn.pause()
      const text = await this.#options.database.run(() => this.#message())
      if (text !== undefined) return text
    }
  }

  #message(): string | undefined {
    const { viewer, subscription } = this.#options
    while (!this.#turn.over) {
      const found = this.#walk.next()
      if (!found) return this.#last()
      for (const { table, row } of found)
        if (viewer.leaves(table, row.row, subscription))
          this.#gone.set(rowIdOf({ table, key: row.key }), [table, row.key])
    }
    return undefined
  }

  #last(): string {
    const { database, viewer, subscription, finished } = this.#options
    viewer.remove(subscription)
    for (const { table, key, cells } of this.#missed.rows(database.store))
      if (cells) this.#gone.delete(rowIdOf({ table, key }))
      else this.#gone.set(rowIdOf({ table, key }), [table, key])
    this.close()
    const { position } = finished()
    return serializeValue({ type: 'unsubscribed', id: subscription, gone: [...this.#gone.values()], position }).slice(1)
  }
}
