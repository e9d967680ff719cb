import type { MessageSource } from '../transport/index.ts'
import type { Decided, Listener } from './decided.ts'
import type { LiveDatabase } from './live-database.ts'
import { Missed } from './missed.ts'
import { RowWalk } from './row-walk.ts'
import { Turn } from './turns.ts'
import type { Viewer } from './viewer.ts'

/** What a scan of the rows of a viewer is for. */
export interface ScanOptions {
  readonly database: LiveDatabase
  readonly viewer: Viewer
  /** Only the rows that this subscription alone shows. */
  readonly subscription?: string | undefined
  /** What the client has not been told of otherwise, at the end: it is told of with the last rows. */
  readonly untold?: () => Missed
  /**
   * Told, between transactions, that all has been said: what happens from then on is to be told by others. Gives what the
   * client is up to with it.
   */
  readonly finished: () => UpTo
}

/** What a client is up to. */
export interface UpTo {
  readonly position: string
  /** For those who see everything. */
  readonly sequence?: number
}

/**
 * Messages that come of walking a viewer's rows, made one by one in turns while transactions go on, with note of what these
 * change meanwhile.
 */
export abstract class RowScan<Options extends ScanOptions = ScanOptions> implements MessageSource, Listener {
  protected readonly options: Options
  protected readonly turn: Turn
  protected readonly walk: RowWalk
  /** What has changed since the walk began, or since it was told last. */
  protected missed: Missed
  /** Nothing more comes of it. */
  readonly closed: Promise<void>
  readonly #stop: () => void
  #ended = false

  constructor(options: Options, turn: Turn = new Turn()) {
    const { database, viewer, subscription } = options
    this.options = options
    this.turn = turn
    this.walk = new RowWalk(database, viewer, subscription)
    this.missed = new Missed(viewer)
    const { promise, resolve } = Promise.withResolvers<void>()
    this.closed = promise
    const stop = database.listen(this)
    this.#stop = () => {
      stop()
      resolve()
    }
  }

  decided({ committed }: Decided): void {
    for (const { transitions } of committed) this.missed.note(transitions)
  }

  /** Whether nothing more comes of it. */
  get over(): boolean {
    return this.#ended
  }

  /** The database goes. */
  end(): void {
    this.close()
  }

  /** It is not gone on with. */
  close(): void {
    this.#ended = true
    this.#stop()
  }

  async next(): Promise<string | undefined> {
    for (;;) {
      if (this.#ended) return undefined
      await this.turn.pause()
      const text = await this.options.database.run(() => this.message())
      if (text !== undefined) return text
    }
  }

  /** The next message, between two transactions; `undefined` where it takes another turn. */
  protected abstract message(): string | undefined
}
