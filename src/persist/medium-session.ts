import { StoreClosedError } from '../errors/index.ts'
import type { LoadedContents, Medium } from './medium.ts'
import { PersistenceError } from './persistence-error.ts'
import type { PersistedContents, PersistenceSession, QuotaEstimate, QuotaOptions } from './persistence.ts'
import { QuotaWatch } from './quota-watch.ts'
import { storageFailure } from './storage-failure.ts'

interface Append {
  readonly records: readonly Uint8Array[]
  readonly settle: (failure?: Error) => void
}

/** The session over a medium: one thing at a time, in order, appends that wait joined into one. */
export class MediumSession implements PersistenceSession {
  readonly #name: string
  readonly #medium: Medium
  readonly #quota: QuotaWatch
  /** Settles when everything called so far is done; it never rejects. */
  #last: Promise<unknown> = Promise.resolve()
  /** Appends that wait for their turn, with nothing else called after them. */
  #waiting: Append[] | undefined
  #closed: Promise<void> | undefined

  /** Gives a session that is ready, its quota looked at. The name is for messages. */
  static async open(name: string, medium: Medium, options: QuotaOptions): Promise<MediumSession> {
    const session = new MediumSession(name, medium, options)
    await session.#quota.look()
    return session
  }

  private constructor(name: string, medium: Medium, options: QuotaOptions) {
    this.#name = name
    this.#medium = medium
    this.#quota = new QuotaWatch(options, () => medium.estimate())
  }

  async load(): Promise<PersistedContents> {
    return this.#inTurn('reading', async () => assertIntact(this.#name, await this.#medium.load()))
  }

  async append(records: readonly Uint8Array[]): Promise<void> {
    this.#assertOpen()
    return new Promise((resolve, reject) => {
      const append = {
        records,
        settle: (failure?: Error) => (failure ? reject(failure) : resolve()),
      }
      if (this.#waiting) {
        this.#waiting.push(append)
        return
      }
      const batch = [append]
      this.#waiting = batch
      this.#last = this.#last.then(() => this.#flush(batch))
    })
  }

  async replace(snapshot: Uint8Array, records: readonly Uint8Array[] = []): Promise<void> {
    return this.#inTurn('writing a snapshot', async () => {
      await this.#medium.replace(snapshot, records)
      await this.#quota.wrote(snapshot.length + sizeOf(records))
    })
  }

  async isWhole(): Promise<boolean> {
    return this.#inTurn('looking', () => this.#medium.isWhole())
  }

  async estimate(): Promise<QuotaEstimate | undefined> {
    this.#assertOpen()
    return this.#medium.estimate()
  }

  async close(): Promise<void> {
    this.#closed ??= this.#enqueue('closing', () => this.#medium.close())
    return this.#closed
  }

  #inTurn<T>(what: string, work: () => Promise<T>): Promise<T> {
    this.#assertOpen()
    return this.#enqueue(what, work)
  }

  #enqueue<T>(what: string, work: () => Promise<T>): Promise<T> {
    this.#waiting = undefined
    const done = this.#last.then(work).catch(async (error: unknown) => {
      throw await this.#failure(error, what)
    })
    this.#last = done.catch(() => undefined)
    return done
  }

  async #flush(batch: Append[]): Promise<void> {
    // Closed for more: what is called from here on waits for the next flush.
    if (this.#waiting === batch) this.#waiting = undefined
    const records = batch.flatMap((append) => append.records)
    let failure: Error | undefined
    try {
      if (records.length > 0) await this.#medium.append(records)
    } catch (error) {
      failure = await this.#failure(error, 'appending records')
    }
    for (const append of batch) append.settle(failure)
    if (!failure) await this.#quota.wrote(sizeOf(records))
  }

  #failure(error: unknown, what: string): Promise<Error> {
    return storageFailure(error, what, this.#name, () => this.#medium.estimate())
  }

  #assertOpen(): void {
    if (this.#closed) throw new StoreClosedError(`the session of ${this.#name}`)
  }
}

/** Throws `persistence-damaged`. */
function assertIntact(name: string, { damage, ...intact }: LoadedContents): PersistedContents {
  if (!damage) return intact
  throw new PersistenceError(
    'persistence-damaged',
    `what ${name} keeps is damaged: ${damage.findings.join('; ')}. ${intact.records.length} records are intact`,
    { intact, damage },
  )
}

function sizeOf(records: readonly Uint8Array[]): number {
  return records.reduce((sum, record) => sum + record.length, 0)
}
