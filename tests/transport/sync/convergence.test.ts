import { ConstraintError, NotFoundError, RejectedError, ValidationError } from 'rowcast'
import { memoryLogStorage, memorySnapshotStorage, ServerCore, type LogRecord, type ServerOptions } from 'rowcast/server'
import { createFaults, type Faults } from 'rowcast/transport'
import { firstValueFrom } from 'rxjs'
import { expect, test } from 'vitest'
import { parseValue } from '../../../src/changes/index.ts'
import { ManualTimers } from '../../support/manual-timers.ts'
import { firstSeed, Random } from '../../support/random.ts'
import { openScene, sceneSchema } from '../../support/sync-world.ts'

const SEEDS = Number(process.env['ROWCAST_SEEDS'] ?? 50)
const STEPS = 150

type Client = Awaited<ReturnType<typeof openScene>>

/** Lets everything that waits for nothing but its turn run. */
async function rest(): Promise<void> {
  for (let n = 0; n < 8; n++) await new Promise((resolve) => setImmediate(resolve))
}

class World {
  readonly random: Random
  readonly faults: Faults
  readonly timers: ManualTimers
  readonly storage = { logs: memoryLogStorage(), snapshots: memorySnapshotStorage() }
  readonly confirmed: string[] = []
  readonly errors: unknown[] = []
  core: ServerCore
  clients: Client[] = []
  drafts = new Map<Client, ReturnType<Client['draft']>>()

  constructor(seed: number) {
    this.random = new Random(seed)
    this.timers = new ManualTimers(() => this.random.int(1000) / 1000)
    this.faults = createFaults((below) => this.random.int(below))
    this.core = this.#serve()
  }

  #serve(): ServerCore {
    const options: ServerOptions = {
      schema: sceneSchema,
      storage: this.storage,
      secret: 'test',
      idleMs: 1e9,
      snapshotEvery: 20,
      limits: { catchUp: 30 },
      onError: (error) => this.errors.push(error),
    }
    return new ServerCore(options)
  }

  async start(clients: number): Promise<void> {
    await this.core.databases.create('scene')
    for (let n = 0; n < clients; n++) this.clients.push(await this.open())
  }

  open(): Promise<Client> {
    // The server of the moment: it may have been started anew.
    const accept: ServerCore['accept'] = (connection, request) => this.core.accept(connection, request)
    return openScene({ accept }, { faults: this.faults, timers: this.timers })
  }

  async restart(): Promise<void> {
    this.faults.cutAll('the server went down')
    await this.core.close()
    this.core = this.#serve()
  }

  act(client: Client): void {
    const { random } = this
    const id = random.int(6)
    const layer = `l${random.int(3)}`
    const label = `do ${random.int(1e9)}`
    const notes = client.table('note')
    const layers = client.table('layer')
    const write = (space: Pick<Client, 'table'>): void => {
      const table = space.table('note')
      switch (random.int(7)) {
        case 0:
          table.upsert({ id, size: random.int(100), ...(layers.has(layer) && { layerId: layer }) })
          break
        case 1:
          if (notes.has(id)) table.set(id, 'size', random.int(100))
          break
        case 2:
          if (notes.has(id)) table.update(id, { text: { value: `t${random.int(9)}` }, points: [random.int(3)] })
          break
        case 3:
          if (notes.has(id)) table.set(id, 'slug', `s${random.int(4)}`)
          break
        case 4:
          if (notes.has(id)) table.delete(id)
          break
        case 5:
          space.table('layer').upsert({ id: layer, name: `n${random.int(5)}` })
          break
        default:
          if (layers.has(layer) && random.chance(30)) space.table('layer').delete(layer)
      }
    }
    const draft = this.drafts.get(client)
    try {
      switch (random.int(8)) {
        case 0:
          client.transaction(
            () => {
              for (let n = 0; n < 3; n++) write(client)
            },
            { label },
          )
          break
        case 1:
          if (!draft) this.drafts.set(client, client.draft({ label }))
          else write(draft)
          break
        case 2:
          if (draft) write(draft)
          break
        case 3:
          if (draft && random.chance(40)) {
            if (random.chance(60)) draft.commit({ ifUnchanged: random.chance(30) })
            else draft.cancel()
            this.drafts.delete(client)
          }
          break
        case 4:
          if (random.chance(40)) client.history.undo()
          break
        case 5:
          client
            .transaction(() => void (notes.has(id) && notes.set(id, 'size', notes.get(id)!.size + 1)), {
              confirm: 'server',
              retries: 2,
              label,
            })
            .catch((error: unknown) => {
              if (!(error instanceof RejectedError)) this.errors.push(error)
            })
          break
        default:
          write(client)
      }
    } catch (error) {
      if (
        !(
          error instanceof ConstraintError ||
          error instanceof ValidationError ||
          error instanceof NotFoundError ||
          error instanceof RejectedError
        )
      )
        throw error
    }
  }

  async step(): Promise<void> {
    const { random } = this
    const what = random.int(100)
    if (what < 35) this.act(random.pick(this.clients))
    else if (what < 85) this.faults.step()
    else if (what < 98) this.timers.next()
    else await this.restart()
    await rest()
  }

  /** A network that works, until nothing is under way any more. */
  async settle(): Promise<void> {
    for (const draft of this.drafts.values()) draft.cancel()
    // A message that was lost as the last one is noticed with the next: a connection that ends says so too.
    this.faults.cutAll()
    const states = async (): Promise<{ state: string; pending: number }[]> =>
      Promise.all(this.clients.map((client) => firstValueFrom(client.sync.status$)))
    for (let n = 0; n < 20_000; n++) {
      if (this.faults.step('deliver')) {
        if (n % 20 === 0) await rest()
        continue
      }
      await rest()
      if (this.faults.pending > 0) continue
      if ((await states()).every(({ state, pending }) => state === 'live' && pending === 0)) return
      this.timers.next()
    }
    throw new Error(`not at rest: ${JSON.stringify(await states())}`)
  }

  async log(): Promise<LogRecord[]> {
    const log = await this.storage.logs.open('scene')
    const records: LogRecord[] = []
    try {
      for await (const { payload } of log.read(1)) records.push(parseValue(payload) as unknown as LogRecord)
    } finally {
      await log.close()
    }
    return records
  }

  rows(store: { table(name: 'note' | 'layer'): { all(): readonly object[] } }): unknown {
    return { note: store.table('note').all(), layer: store.table('layer').all() }
  }
}

async function expectConvergence(seed: number): Promise<void> {
  const world = new World(seed)
  try {
    await world.start(5)
    for (let step = 0; step < STEPS; step++) await world.step()
    await world.settle()
    const { database, release } = await world.core.databases.use('scene')
    const truth = world.rows(database.store as never)
    release()
    for (const [n, client] of world.clients.entries()) expect(world.rows(client as never), `client ${n}`).toEqual(truth)
    expect(world.errors).toEqual([])
    for (const client of world.clients) await client.close()
    await world.core.close()
    const ids = (await world.log()).map(({ id }) => id).filter((id) => id !== undefined)
    expect(new Set(ids).size).toBe(ids.length)
  } catch (error) {
    throw new Error(
      `seed ${seed}: ${error instanceof Error ? error.message : String(error)} (ROWCAST_SEED=${seed} ROWCAST_SEEDS=1 replays it)`,
      {
        cause: error,
      },
    )
  }
}

test(`five clients are equal to the server at rest, whatever the network did (${SEEDS} seeds from ${firstSeed})`, async () => {
  for (let n = 0; n < SEEDS; n++) await expectConvergence(firstSeed + n)
}, 600_000)
