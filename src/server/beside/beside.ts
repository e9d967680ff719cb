import type { Schema } from '../../schema/index.ts'
import type { Log } from '../log.ts'
import type { Patterns } from './messages.ts'
import { TemporaryFiles } from './temporary-files.ts'
import { Threads } from './threads.ts'
import type { Progress, Sources, WorkHost } from './work-host.ts'
import { doWork, type ResultOf, type Work } from './works.ts'

/** Sources that tell how much there is to do. */
export interface MeasuredSources extends Sources {
  readonly log: Sources['log'] & Pick<Log, 'bytes'>
}

export interface WorkOptions {
  /** Gives the work up. */
  readonly signal?: AbortSignal | undefined
  readonly progress?: ((progress: Progress) => void) | undefined
  readonly take?: WorkHost['take']
  /** The state that it begins with; none for a work that begins with a file. */
  readonly at?: number
  /** Whether it goes to a thread in any case. */
  readonly thread?: boolean
}

/** What is done at once, without a thread: bytes of a snapshot or a file, and as many of entries of the log since. */
const SMALL_BYTES = 512 * 1024
const FEW_ENTRIES = 100

/** Where a server does what takes as long as a database is large: beside the event loop, which goes on meanwhile. */
export class Beside {
  readonly files: TemporaryFiles = new TemporaryFiles()
  readonly threads: Threads
  readonly #schema: Schema

  constructor(schema: Schema, patterns: Patterns) {
    this.#schema = schema
    this.threads = new Threads(schema, patterns)
  }

  /** Does a work: on a thread, or at once where it is little. Rejects as `Threads.run` does. */
  async run<Asked extends Work>(
    work: Asked,
    sources: MeasuredSources,
    { signal, progress, take, at, thread = false }: WorkOptions = {},
  ): Promise<ResultOf<Asked>> {
    signal?.throwIfAborted()
    const host: WorkHost = {
      log: sources.log,
      snapshots: sources.snapshots,
      take: take ?? (() => Promise.resolve()),
      progress: progress ?? (() => undefined),
    }
    const isLittle =
      !thread &&
      (work.kind !== 'create' || isSmall(work.file.length)) &&
      (at === undefined || (await this.isNear(work.database, sources, at)))
    if (isLittle) return doWork(work, host, this.#schema)
    return this.threads.run(work, host, signal)
  }

  /** Whether a state is a small snapshot and a few entries of the log. */
  async isNear(database: string, { log, snapshots }: MeasuredSources, at: number): Promise<boolean> {
    const last = (await snapshots.list(database)).findLast(({ sequence }) => sequence <= at)
    if (last === undefined || !isSmall(last.size) || at - last.sequence > FEW_ENTRIES) return false
    return isSmall(await log.bytes(last.sequence + 1, at))
  }

  async close(): Promise<void> {
    await this.threads.close()
    await this.files.close()
  }
}

export function isSmall(bytes: number): boolean {
  return bytes <= SMALL_BYTES
}
