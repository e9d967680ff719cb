import { setTimeout as delay } from 'node:timers/promises'
import { createStore, defineSchema, RejectedError, type Store } from 'rowcast'
import { nodeSqliteDriver } from 'rowcast/node'
import { webSocketTransport } from 'rowcast/transport'
import type { LogRecord } from 'rowcast/server'
import { firstValueFrom } from 'rxjs'
import { expect } from 'vitest'
import { ASKS, Ledger } from './ledger.ts'
import { Random } from './random.ts'
import { checkSerialisable, type Recorded } from './serialisability.ts'

const REGISTERS = 6
const START = 100
/** Between two transactions of a client, in milliseconds, at most. */
const PAUSE_MS = 120
/** More than these wait while a client is offline. */
const MOST_PENDING = 40
const SETTLES_MS = 120_000

/** Registers that everyone reads and writes, and a mark of each transaction that leaves one. */
export const loadSchema = defineSchema({
  version: 1,
  tables: {
    register: {
      primaryKey: 'id',
      schema: {
        type: 'object',
        required: ['id', 'size', 'by'],
        properties: { id: { type: 'integer' }, size: { type: 'number' }, by: { type: 'string' } },
      },
    },
    mark: { primaryKey: 'id', schema: { type: 'object', required: ['id'], properties: { id: { type: 'string' } } } },
  },
})

type LoadStore = Store<(typeof loadSchema)['definition']>

/** How a client writes: after asking the server, at once, or by requests. */
type Manner = 'asks' | 'writes' | 'calls'

interface Recording extends Recorded {
  answered: number
  outcome: Recorded['outcome']
  readonly reads: Map<string, unknown>
  readonly writes: Map<string, unknown>
}

interface Client {
  readonly manner: Manner
  readonly name: string
  readonly store: LoadStore
  readonly ledger: Ledger
}

interface Entry extends LogRecord {
  readonly sequence: number
}

const initial = new Map(Array.from({ length: REGISTERS }, (_, id) => [`r${id}`, START]))

/** Clients of one database that read and write it all the time, and what they were told. */
export class ClusterLoad {
  readonly database: string
  /** What a client was told that no fault explains. */
  readonly failures: string[] = []
  /** The longest time without a confirmation, in milliseconds; when it began is as `performance.now` says. */
  longest: { readonly fromMs: number; readonly lastedMs: number } = { fromMs: 0, lastedMs: 0 }
  readonly #urls: readonly string[]
  readonly #random: Random
  readonly #history: Recording[] = []
  readonly #marks: Recording[] = []
  readonly #clients: Client[] = []
  readonly #working: Promise<void>[] = []
  #clock = 0
  #confirmedAt = performance.now()
  #isEnding = false

  private constructor(database: string, urls: readonly string[], seed: number) {
    this.database = database
    this.#urls = urls
    this.#random = new Random(seed)
  }

  /** Makes the database, and lets so many clients begin. */
  static async start(
    database: string,
    { urls, seed, clients }: { readonly urls: readonly string[]; readonly seed: number; readonly clients: number },
  ): Promise<ClusterLoad> {
    const load = new ClusterLoad(database, urls, seed)
    await load.#call({
      id: 'first',
      changes: Array.from({ length: REGISTERS }, (_, id) => register('put', { id, size: START, by: 'first' })),
    })
    for (let n = 0; n < clients; n++) {
      const manner = (['asks', 'asks', 'writes', 'asks', 'calls', 'writes', 'asks'] as const)[n % 7]!
      const store = await load.#open()
      const ledger = new Ledger()
      ledger.watch(store)
      load.#clients.push({ manner, name: `${database}${n}`, store, ledger })
    }
    await load.#live()
    load.#confirmedAt = performance.now()
    for (const client of load.#clients) load.#working.push(load.#work(client))
    return load
  }

  get counts(): { readonly committed: number; readonly refused: number; readonly unknown: number } {
    const count = (outcome: string): number => this.#history.filter((one) => one.outcome === outcome).length
    return { committed: count('committed'), refused: count('refused'), unknown: count('unknown') }
  }

  /** No more is written. Resolves once everyone has been told of everything. */
  async end(): Promise<void> {
    this.#isEnding = true
    const settled = Promise.all(this.#working).then(() => true)
    const isSettled = await Promise.race([settled, delay(SETTLES_MS, false, { ref: false })])
    const untold = this.#history.filter(({ outcome }) => outcome === 'unknown').map(({ id }) => id)
    const states = await Promise.all(this.#clients.map(({ store }) => firstValueFrom(store.sync.status$)))
    const names = this.#clients.map(({ name }, n) => `${name}: ${JSON.stringify(states[n])}`)
    expect(isSettled ? [] : untold, `${this.database}: nobody was told (${names.join(', ')}) of`).toEqual([])
    await this.#live()
  }

  /** Everyone has what the log says, whichever server is asked, and the log what everyone was told. */
  async expectWhole(): Promise<void> {
    const logs = await Promise.all(this.#urls.map((url) => this.#log(url)))
    const [log] = logs as [Entry[]]
    for (const other of logs) expect(other, this.database).toEqual(log)
    const ids = log.flatMap(({ id }) => id ?? [])
    expect(new Set(ids).size, `${this.database}: nothing twice`).toBe(ids.length)
    for (const { ledger } of this.#clients) ledger.expectDone(log, false)
    const order = log.flatMap(({ kind, label }) => (kind === 'transaction' && label !== undefined ? [label] : []))
    expect(checkSerialisable(this.#history, order, initial), this.database).toEqual([])
    const byId = new Map(this.#history.map((one) => [one.id, one]))
    const registers = new Map([...initial, ...order.flatMap((id) => [...byId.get(id)!.writes])])
    const marks = this.#marks.filter(({ id }) => order.includes(id)).map(({ id }) => id)
    const fresh = await this.#open()
    try {
      await expectLive([fresh])
      for (const store of [fresh, ...this.#clients.map((client) => client.store)]) {
        const found = store.table('register').all()
        expect(new Map(found.map(({ id, size }) => [`r${id}`, size])), this.database).toEqual(registers)
        expect(
          store
            .table('mark')
            .all()
            .map(({ id }) => id)
            .toSorted(),
        ).toEqual(marks.toSorted())
      }
    } finally {
      await fresh.close()
    }
    expect(this.failures, this.database).toEqual([])
  }

  async close(): Promise<void> {
    this.#isEnding = true
    await Promise.all(this.#clients.map(({ store }) => store.close()))
  }

  async #open(): Promise<LoadStore> {
    const transport = webSocketTransport({ url: this.#urls })
    return createStore({ schema: loadSchema, driver: nodeSqliteDriver(), sync: { transport, database: this.database } })
  }

  #live(): Promise<void> {
    return expectLive(this.#clients.map(({ store }) => store))
  }

  async #work(client: Client): Promise<void> {
    const doings: Promise<void>[] = []
    const outcomes = client.manner === 'writes' ? this.#follow(client.store) : undefined
    for (let n = 0; !this.#isEnding; n++) {
      const recording: Recording = {
        id: `${client.manner === 'asks' ? ASKS : client.manner}-${client.name}-${n}`,
        called: ++this.#clock,
        answered: Infinity,
        outcome: 'unknown',
        reads: new Map(),
        writes: new Map(),
      }
      if (client.manner === 'asks') {
        this.#history.push(recording)
        await this.#ask(client.store, recording)
      } else if (client.manner === 'calls') {
        this.#history.push(recording)
        await this.#request(recording)
      } else if (outcomes!.size < MOST_PENDING) {
        this.#history.push(recording)
        const { promise, resolve } = Promise.withResolvers<void>()
        doings.push(promise)
        outcomes!.set(recording.id, (outcome) => {
          this.#answer(recording, outcome)
          resolve()
        })
        this.#marks.push(recording)
        client.store.transaction(
          () => {
            this.#write(client.store, recording, this.#random.int(REGISTERS), 300 + this.#history.length / 1e6)
            client.store.table('mark').insert({ id: recording.id })
          },
          { label: recording.id },
        )
      }
      await delay(this.#random.int(PAUSE_MS))
    }
    await Promise.all(doings)
  }

  /** What is to be told of the transactions that are pending, by their labels. */
  #follow({ sync }: LoadStore): Map<string, (outcome: 'committed' | 'refused') => void> {
    const waiting = new Map<string, (outcome: 'committed' | 'refused') => void>()
    let pending: readonly string[] = []
    let rejected: readonly string[] = []
    sync.rejected$.subscribe((list) => (rejected = list.map(({ label }) => label!)))
    sync.pending$.subscribe((list) => {
      const now = list.map(({ label }) => label!)
      for (const label of pending)
        if (!now.includes(label)) {
          waiting.get(label)?.(rejected.includes(label) ? 'refused' : 'committed')
          waiting.delete(label)
        }
      pending = now
    })
    return waiting
  }

  async #ask(store: LoadStore, recording: Recording): Promise<void> {
    const shape = this.#random.int(6)
    const [a, b] = [this.#random.int(REGISTERS), this.#random.int(REGISTERS)]
    const amount = 1 + this.#random.int(5)
    const read = (id: number): number => {
      const size = store.table('register').get(id)?.size
      if (!recording.writes.has(`r${id}`)) recording.reads.set(`r${id}`, size)
      return size ?? 0
    }
    const write = (id: number, size: number): void => this.#write(store, recording, id, size)
    const run = (): void => {
      recording.reads.clear()
      recording.writes.clear()
      if (shape === 0) write(a, read(a) + amount)
      // Two that both do this to different registers, having read both, are write skew.
      else if (shape === 1) write(read(a) + read(b) < 400 ? a : b, 200 + amount)
      else if (shape === 2) {
        const [from, to] = [read(a), read(b)]
        write(a, from - amount)
        if (a !== b) write(b, to + amount)
      } else if (shape === 3) {
        let sum = 0
        for (let id = 0; id < REGISTERS; id++) sum += read(id)
        write(a, sum % 700)
      } else if (shape === 4) write(b, read(a))
      // Reads only.
      else for (const id of [a, b]) read(id)
    }
    try {
      await store.transaction(run, { confirm: 'server', retries: this.#random.int(4), label: recording.id })
      this.#answer(recording, 'committed')
    } catch (error) {
      if (error instanceof RejectedError) this.#answer(recording, 'refused')
      else if (!this.#isEnding) this.failures.push(`${recording.id}: ${String(error)}`)
    }
  }

  async #request(recording: Recording): Promise<void> {
    const { id } = recording
    const key = this.#random.int(REGISTERS)
    const size = 200 + this.#history.length / 1e6
    recording.writes.set(`r${key}`, size)
    this.#marks.push(recording)
    const mark = { table: 'mark', key: id, op: 'put', after: { id } }
    const told = await this.#call({ id, label: id, changes: [register('update', { id: key, size, by: id }), mark] })
    if (told.status === 200) this.#answer(recording, 'committed')
    else this.failures.push(`${id}: answered ${told.status} ${told.text}`)
  }

  /** Sends a transaction to any of the servers, and again under the same id where nobody knows of it. */
  async #call(transaction: object): Promise<Answer> {
    const body = JSON.stringify(transaction)
    for (;;) {
      const url = `${this.#random.pick(this.#urls)}/v1/databases/${this.database}/transactions`
      const answer = await request(url, { method: 'POST', body })
      if (answer && answer.status !== 503) return answer
      await delay(20)
    }
  }

  #write(store: LoadStore, recording: Recording, id: number, size: number): void {
    // With something new in it: a transaction that changes nothing is nothing, and has no place in the order.
    store.table('register').upsert({ id, size, by: recording.id })
    recording.writes.set(`r${id}`, size)
  }

  #answer(recording: Recording, outcome: 'committed' | 'refused'): void {
    recording.answered = ++this.#clock
    recording.outcome = outcome
    if (this.#isEnding) return
    const now = performance.now()
    const silence = { fromMs: this.#confirmedAt, lastedMs: now - this.#confirmedAt }
    if (silence.lastedMs > this.longest.lastedMs) this.longest = silence
    this.#confirmedAt = now
  }

  /** The history as one of the servers tells it. */
  async #log(url: string): Promise<Entry[]> {
    const headers = { accept: 'application/x-ndjson' }
    const ask = (): Promise<Answer | undefined> => request(`${url}/v1/databases/${this.database}/history`, { headers })
    let answer: Answer | undefined
    await expect
      .poll(async () => (answer = await ask())?.status, {
        timeout: SETTLES_MS,
        message: `${this.database} through ${url}`,
      })
      .toBe(200)
    return answer!.text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Entry)
  }
}

interface Answer {
  readonly status: number
  readonly text: string
}

/** `undefined` where there was no answer, or none for long. */
async function request(url: string, init: RequestInit): Promise<Answer | undefined> {
  try {
    const answer = await fetch(url, { ...init, signal: AbortSignal.timeout(30_000) })
    return { status: answer.status, text: await answer.text() }
  } catch {
    return undefined
  }
}

async function expectLive(stores: readonly LoadStore[]): Promise<void> {
  const states = new Map<LoadStore, unknown>()
  const subscriptions = stores.map((store) =>
    store.sync.status$.subscribe(({ state, pending, reason }) => {
      if (state === 'live' && pending === 0) states.delete(store)
      else states.set(store, { state, pending, reason })
    }),
  )
  try {
    await expect.poll(() => [...states.values()], { timeout: SETTLES_MS }).toEqual([])
  } finally {
    for (const subscription of subscriptions) subscription.unsubscribe()
  }
}

function register(
  op: 'put' | 'update',
  { id, ...row }: { readonly id: number; readonly size: number; readonly by: string },
): object {
  return { table: 'register', key: id, op, after: op === 'put' ? { id, ...row } : row }
}
