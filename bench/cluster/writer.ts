import { filter, firstValueFrom, timeout } from 'rxjs'
import { createStore, type Store } from 'rowcast'
import { nodeSqliteDriver } from 'rowcast/node'
import { webSocketTransport } from 'rowcast/transport'
import { schema } from './scene.ts'

/** Nothing that is measured here may take so long. */
const GIVEN_UP_MS = 120_000

/** A client as an application has it, which inserts rows into a database of its servers. */
export class Writer {
  /** Transactions that were acknowledged, by the ids of their rows. */
  readonly acknowledged: string[] = []
  readonly #store: Store<(typeof schema)['definition']>
  readonly #name: string
  #count = 0

  private constructor(store: Store<(typeof schema)['definition']>, name: string) {
    this.#store = store
    this.#name = name
  }

  /** @param name the ids of its rows begin with it */
  static async open(urls: readonly string[], database: string, name: string): Promise<Writer> {
    const transport = webSocketTransport({ url: urls })
    const store = await createStore({ schema, driver: nodeSqliteDriver(), sync: { transport, database } })
    const writer = new Writer(store, name)
    await writer.settled()
    return writer
  }

  /** Writes one transaction; resolves with the milliseconds until it was acknowledged. */
  async write(): Promise<number> {
    const from = performance.now()
    const id = this.#insert()
    await this.settled()
    this.acknowledged.push(id)
    return performance.now() - from
  }

  /** Once it is in step with its server, which has all. */
  async settled(): Promise<void> {
    const { status$, rejected$ } = this.#store.sync
    const settled = status$.pipe(
      filter(({ pending, state }) => pending === 0 && state === 'live'),
      timeout({ first: GIVEN_UP_MS }),
    )
    await firstValueFrom(settled)
    const [refused] = await firstValueFrom(rejected$)
    if (refused) throw new Error(`a transaction was refused: ${refused.reason}`)
  }

  /** The ids of all rows. */
  ids(): ReadonlySet<string> {
    return new Set(
      this.#store
        .table('item')
        .all()
        .map(({ id }) => id),
    )
  }

  close(): Promise<void> {
    return this.#store.close()
  }

  #insert(): string {
    const id = `${this.#name}-${this.#count++}`
    this.#store.table('item').insert({ id })
    return id
  }
}

/** Throws where somebody who comes new does not have what was acknowledged, or has more. */
export async function expectKept(
  urls: readonly string[],
  database: string,
  acknowledged: readonly string[],
): Promise<void> {
  const reader = await Writer.open(urls, database, 'reader')
  const there = reader.ids()
  const lost = acknowledged.filter((id) => !there.has(id))
  if (lost.length > 0) throw new Error(`lost, though acknowledged: ${lost.join(', ')}`)
  if (there.size !== acknowledged.length)
    throw new Error(`${there.size} rows are there of ${acknowledged.length} that were written`)
  await reader.close()
}

/** The same of what these have written, and closes them. */
export async function closeKept(urls: readonly string[], database: string, writers: readonly Writer[]): Promise<void> {
  for (const writer of writers) await writer.settled()
  const acknowledged = writers.flatMap((writer) => writer.acknowledged)
  await expectKept(urls, database, acknowledged)
  for (const writer of writers) await writer.close()
}
