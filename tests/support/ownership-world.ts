import { setImmediate as immediate } from 'node:timers/promises'
import { NotFoundError, RowcastError, StoreClosedError } from '../../src/errors/index.ts'
import { Shard, ShardArchive, ShardedLogStorage } from '../../src/server/cluster/index.ts'
import { LogConflictError, LogMovedError, LogUncertainError } from '../../src/server/log-errors.ts'
import type { Log } from '../../src/server/log.ts'
import { LogJudge, type Before } from './log-judge.ts'
import { Random } from './random.ts'
import { SimulatedBucket, SimulatedNode, type Fate } from './simulated-slots.ts'

const DATABASES = ['a', 'b', 'c'] as const

/** A server that a schedule may stop. */
export interface Server {
  readonly node: SimulatedNode
  readonly shards: readonly Shard[]
  readonly storage: ShardedLogStorage
  isClosed: boolean
}

/** What is done by chance, in percent, or as often as one in so many steps. */
interface Habits {
  readonly shards: number
  readonly servers: number
  /** Acts that are begun. */
  acts: number
  /** An act of a server that is busy is to append. */
  readonly appends: number
  readonly archives: number
  readonly claims: number
  /** Whether a server leaves a shard to the one that has claimed it, until it claims it itself. */
  readonly yields: boolean
  readonly deletes: number
  readonly trouble: number
  readonly longestDelay: number
  readonly longestFreeze: number
  readonly freezeOnceIn: number
  readonly deathOnceIn: number
}

function drawHabits(random: Random): Habits {
  const isLong = random.chance(12)
  return {
    shards: 1 + random.int(2),
    servers: 2 + random.int(3),
    acts: isLong ? 250 + random.int(300) : 15 + random.int(60),
    appends: isLong ? 80 + random.int(18) : 30 + random.int(60),
    archives: random.pick([1, 3, 10]),
    claims: random.pick([0, 2, 10]),
    yields: random.chance(40),
    deletes: random.pick([0, 1, 5]),
    trouble: random.pick([0, 5, 25]),
    longestDelay: random.pick([1, 5, 30]),
    longestFreeze: isLong ? 1_500 : 150,
    freezeOnceIn: random.pick([40, 150, 600]),
    deathOnceIn: random.pick([100, 400, 10_000]),
  }
}

/**
 * Servers that share the logs of shards and stop, die and start as a seed says. All that they are told is judged.
 */
export class OwnershipWorld {
  readonly judge = new LogJudge()
  readonly bucket: SimulatedBucket
  readonly random: Random
  readonly #kind: 'slots' | 'stream'
  readonly #habits: Habits
  readonly #servers: Server[] = []
  readonly #failures: unknown[] = []
  #clients = 0
  #idle = 0
  #started = 0
  #payloads = 0

  constructor(seed: number, kind: 'slots' | 'stream') {
    this.random = new Random(seed)
    this.#kind = kind
    this.#habits = drawHabits(this.random)
    const { random } = this
    const { trouble, longestDelay } = this.#habits
    this.bucket = new SimulatedBucket({
      fate: (): Fate => (random.chance(trouble) ? random.pick(['unanswered', 'late', 'dropped']) : 'answered'),
      delay: () => (random.chance(20) ? random.int(longestDelay) : 0),
      lateness: () => random.int(random.chance(50) ? 30 : this.#habits.longestFreeze),
    })
  }

  /** Records that were deleted. */
  get slotsDeleted(): number {
    return this.bucket.deleted
  }

  async run(): Promise<void> {
    const { random } = this
    const habits = this.#habits
    for (let n = 0; n < habits.servers; n++) this.#start()
    await immediate()
    while (this.#clients > 0) {
      if (random.int(habits.freezeOnceIn) === 0)
        random.pick(this.#servers).node.freeze(random.int(habits.longestFreeze))
      if (random.int(habits.deathOnceIn) === 0) this.#replace(random.pick(this.#servers))
      await this.#step()
    }
    // Before and after all has arrived that is still under way. Where reading appends, that leaves something, too.
    for (let n = 0; n < 2; n++) {
      await this.#expectAgreement()
      while (this.bucket.ready().length > 0) await this.#step()
    }
    this.judge.finish()
  }

  async #step(): Promise<void> {
    const ready = this.bucket.ready()
    this.#idle = ready.length === 0 ? this.#idle + 1 : 0
    if (this.#idle > 100) throw new Error('nothing is under way, and not all is done')
    if (ready.length > 0) this.bucket.happen(this.random.pick(ready))
    // A read lets others at the event loop, too.
    await immediate()
    if (this.#failures.length > 0) throw this.#failures[0]
    for (const { node, shards } of this.#servers)
      for (const [n, { claim }] of shards.entries())
        if (claim && !node.isDead) this.judge.owner(n, claim.slot, claim.node.id)
  }

  #open(): Server {
    const node = new SimulatedNode(`n${++this.#started}`, this.bucket)
    const shards = Array.from(
      { length: this.#habits.shards },
      (_, n) =>
        new Shard({
          slots: node[this.#kind](`${n}`),
          archive: new ShardArchive(node.store, `shards/${n}/checkpoints/`),
          node: { id: node.id },
          yields: this.#habits.yields,
        }),
    )
    const storage = new ShardedLogStorage(shards)
    return { node, shards, storage, isClosed: false }
  }

  #start(): void {
    const server = this.#open()
    this.#servers.push(server)
    for (let n = 1 + this.random.int(2); n > 0; n--) {
      this.#clients++
      const client = new Client(server, this)
      void client.run().then(
        () => void this.#clients--,
        (error: unknown) => this.#failures.push(error),
      )
      server.node.onDeath(() => void (client.isDone || this.#clients--))
    }
  }

  /** One goes, as it is or in order, and another one starts. */
  #replace(server: Server): void {
    this.#servers.splice(this.#servers.indexOf(server), 1)
    if (this.random.chance(70)) server.node.die(() => this.random.chance(50))
    else {
      server.isClosed = true
      for (const shard of server.shards) void shard.close()
    }
    this.#start()
  }

  /** What one who comes anew reads, and those who were there. */
  async #expectAgreement(): Promise<void> {
    for (const server of [this.#open(), ...this.#servers]) {
      server.node.thaw()
      const client = new Client(server, this)
      const reading = { isDone: false }
      client.readAll().then(
        () => (reading.isDone = true),
        (error: unknown) => this.#failures.push(error),
      )
      await immediate()
      while (!reading.isDone) await this.#step()
    }
  }

  /** What a client is to do next; nothing once there was enough. */
  draw(): string | undefined {
    const { random } = this
    const { appends, archives, claims, deletes } = this.#habits
    if (this.#habits.acts-- <= 0) return undefined
    if (random.chance(archives)) return 'archive'
    if (random.chance(claims)) return random.pick(['claim', 'claim', 'release'])
    if (random.chance(deletes)) return 'delete'
    if (random.chance(appends)) return 'append'
    return random.pick(['read', 'bounds', 'trim', 'reopen', 'list'])
  }

  database(): string {
    return this.random.pick(DATABASES)
  }

  payloads(node: string): string[] {
    return Array.from(
      { length: this.random.chance(85) ? 1 : 2 + this.random.int(2) },
      () => `${node}:${++this.#payloads}`,
    )
  }
}

/** An opened log, and what is known of it. */
interface Opened {
  readonly log: Log
  readonly id: string
  last: number
}

/** One who uses a server: it does one thing after the other. */
class Client {
  readonly #server: Server
  readonly #world: OwnershipWorld
  readonly #opened = new Map<string, Opened>()
  isDone = false

  constructor(server: Server, world: OwnershipWorld) {
    this.#server = server
    this.#world = world
  }

  async run(): Promise<void> {
    const { node } = this.#server
    for (let act; (act = this.#world.draw()) !== undefined;) {
      await node.turn()
      if (this.#server.isClosed) break
      await this.#do(act)
    }
    this.isDone = true
  }

  /** Reads all there is, as the owner where only that one may. */
  async readAll(): Promise<void> {
    for (const database of DATABASES) {
      const shard = this.#server.storage.shardOf(database)
      for (let isRead = false; !isRead;) {
        try {
          await this.#readWhole(database)
          isRead = true
        } catch (error) {
          if (!(error instanceof LogMovedError)) throw error
          await follow(shard)
        }
      }
    }
  }

  async #readWhole(database: string): Promise<void> {
    this.#opened.delete(database)
    const opened = await this.#open(database, false)
    if (!opened) return
    const { first } = await opened.log.bounds()
    await this.#read(opened, first)
  }

  async #do(act: string): Promise<void> {
    try {
      await this.#act(act)
    } catch (error) {
      if (!(error instanceof StoreClosedError && this.#server.isClosed)) throw error
    }
  }

  async #act(act: string): Promise<void> {
    const { random } = this.#world
    const { shards } = this.#server
    try {
      if (act === 'archive') return await random.pick(shards).archive()
      if (act === 'claim') return await random.pick(shards).own()
      if (act === 'release') return await random.pick(shards).release()
      if (act === 'list') return void (await this.#server.storage.list())
      const database = this.#world.database()
      if (act === 'delete') return await this.#delete(database)
      if (act === 'reopen') this.#opened.delete(database)
      const opened = this.#opened.get(database) ?? (await this.#open(database, random.chance(80)))
      if (!opened || act === 'reopen') return
      if (act === 'append') await this.#append(opened)
      if (act === 'read') await this.#read(opened)
      if (act === 'bounds') await this.#bounds(opened)
      if (act === 'trim') await this.#trim(opened)
    } catch (error) {
      if (!(error instanceof LogMovedError)) throw error
      for (const shard of shards) if (random.chance(50)) await follow(shard)
    }
  }

  async #open(database: string, create: boolean): Promise<Opened | undefined> {
    const { storage } = this.#server
    const opening = this.#world.judge.opening(database, create)
    try {
      const log = await storage.open(database, { create })
      const { id, last } = storage.shardOf(database).databases.get(database)!
      opening.opened(id)
      const opened = { log, id, last }
      this.#opened.set(database, opened)
      return opened
    } catch (error) {
      if (error instanceof LogUncertainError) return undefined
      if (error instanceof LogMovedError) throw error
      if (!(error instanceof NotFoundError)) throw error
      opening.missing()
      return undefined
    }
  }

  async #delete(database: string): Promise<void> {
    await this.#opened.get(database)?.log.close()
    this.#opened.delete(database)
    const deleting = this.#world.judge.deleting(database)
    try {
      await this.#server.storage.delete(database)
      deleting.deleted()
    } catch (error) {
      const isKnown =
        error instanceof LogUncertainError || (error instanceof RowcastError && error.code === 'log-in-use')
      if (!isKnown) throw error
    }
  }

  async #append(opened: Opened): Promise<void> {
    const { judge, random } = this.#world
    const payloads = this.#world.payloads(this.#server.node.id)
    const before = judge.before(opened.id)
    const expected = opened.last
    judge.appending(opened.id, payloads, expected)
    try {
      await opened.log.append(payloads, expected)
      judge.appended(before, payloads, expected)
      opened.last += payloads.length
    } catch (error) {
      if (error instanceof LogConflictError) {
        judge.refused(before, payloads, error.last)
        if (random.chance(50)) opened.last = error.last
        else await this.#bounds(opened)
      } else if (error instanceof LogUncertainError) {
        await this.#bounds(opened)
      } else {
        judge.notAppended(payloads)
        this.#missed(opened, before, error)
      }
    }
  }

  async #bounds(opened: Opened): Promise<void> {
    const before = this.#world.judge.before(opened.id)
    try {
      const bounds = await opened.log.bounds()
      this.#world.judge.bounds(before, bounds)
      opened.last = bounds.last
    } catch (error) {
      this.#missed(opened, before, error)
    }
  }

  async #read(opened: Opened, from = 1 + this.#world.random.int(opened.last + 1)): Promise<void> {
    const { judge } = this.#world
    const before = judge.before(opened.id)
    const payloads: string[] = []
    try {
      for await (const { payload } of opened.log.read(from)) payloads.push(payload)
      judge.read(before, from, payloads)
    } catch (error) {
      if (!(error instanceof NotFoundError && judge.trimmedAt(before, from))) this.#missed(opened, before, error)
    }
  }

  async #trim(opened: Opened): Promise<void> {
    const { judge, random } = this.#world
    const before = judge.before(opened.id)
    const number = Math.max(1, opened.last - random.int(10))
    judge.trimming(opened.id, number)
    try {
      await opened.log.trim(number)
      judge.trimmed(before, number)
    } catch (error) {
      if (!(error instanceof LogUncertainError)) this.#missed(opened, before, error)
    }
  }

  #missed({ log }: Opened, before: Before, error: unknown): void {
    if (!(error instanceof NotFoundError)) throw error
    this.#world.judge.missed(before)
    this.#opened.delete(before.log.database)
    void log.close()
  }
}

/** Claims a shard, unless another server is faster. */
async function follow(shard: Shard): Promise<void> {
  await shard.look()
  await shard.claimAfter(shard.claim)
}
