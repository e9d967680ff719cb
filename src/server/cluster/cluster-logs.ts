import { createHash, randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { RowcastError } from '../../errors/index.ts'
import { probeBucket, type ObjectStore } from '../bucket/index.ts'
import type { Log, LogStorage, LostWatcher, Placement } from '../log.ts'
import { BucketSlotLog } from './bucket-slot-log.ts'
import { Nodes, type Node } from './nodes.ts'
import { ShardPlacement } from './shard-placement.ts'
import { ShardArchive } from './shard-archive.ts'
import type { NodeInfo } from './shard-record.ts'
import { Shard } from './shard.ts'
import { ShardedLogStorage } from './sharded-log-storage.ts'

export interface ClusterOptions {
  /** How many logs all databases share; 16 if not given. It is fixed with the first start: another number is refused. */
  readonly shards?: number | undefined
  /** The least time between two appends to one of them, in milliseconds: fewer requests, and later commits. 0 if not given. */
  readonly commitEveryMs?: number | undefined
  /**
   * Where other servers, and clients, reach this one. Then each database is looked after by one of the servers, and the
   * others send there who asks for it; without it whoever is asked does, one after the other.
   */
  readonly url?: string | undefined
  /** Told where what was appended can't be put into segments for now. */
  readonly report: (error: unknown) => void
}

const KEY = 'cluster.json'
const SHARDS = 16
const MOST_SHARDS = 1_024
/** How often it is looked whether a tail is to be put into segments. */
const LOOK_MS = 1_000
/** A tail is put into segments once it has so many bytes, or records, or is so old. */
const TAIL_BYTES = 16 << 20
const TAIL_RECORDS = 1_000
const TAIL_MS = 60_000
/** What failed is tried again after so long. */
const AGAIN_MS = 10_000

interface Opened {
  readonly storage: ShardedLogStorage
  readonly shards: readonly Shard[]
  readonly placement: ShardPlacement | undefined
}

/** The logs of databases in a bucket that any number of servers share. The bucket is looked at when they are used first. */
export class ClusterLogs implements LogStorage {
  readonly #store: ObjectStore
  readonly #options: ClusterOptions
  readonly #node: NodeInfo
  readonly placement: Placement | undefined
  readonly #watchers: LostWatcher[] = []
  #opened: Promise<Opened> | undefined
  #looking: NodeJS.Timeout | undefined
  #isClosed = false

  /** Throws RowcastError (`options`) for a number of shards, or of milliseconds, that is none. */
  constructor(store: ObjectStore, options: ClusterOptions) {
    const { shards = SHARDS, commitEveryMs = 0 } = options
    if (!Number.isInteger(shards) || shards < 1 || shards > MOST_SHARDS)
      throw new RowcastError('options', `${shards} shards can't be had: give a number from 1 to ${MOST_SHARDS}`)
    if (!(commitEveryMs >= 0 && commitEveryMs <= 60_000))
      throw new RowcastError('options', `commits every ${commitEveryMs} ms can't be had: give 0 to 60,000`)
    this.#store = store
    this.#options = options
    this.#node = { id: randomUUID(), url: options.url }
    this.placement = options.url === undefined ? undefined : this.#placement()
  }

  async open(database: string, options?: Parameters<LogStorage['open']>[1]): Promise<Log> {
    return (await this.ready()).storage.open(database, options)
  }

  async list(): Promise<readonly string[]> {
    return (await this.ready()).storage.list()
  }

  async delete(database: string): Promise<void> {
    return (await this.ready()).storage.delete(database)
  }

  /** Looks whether the bucket will do. Throws BucketError where it won't, RowcastError where it is another cluster's. */
  ready(): Promise<Opened> {
    this.#opened ??= this.#open().catch((error: unknown) => {
      this.#opened = undefined
      throw error
    })
    return this.#opened
  }

  async close(): Promise<void> {
    this.#isClosed = true
    // Whoever opened it was told what failed.
    const [opened] = await Promise.allSettled([this.#opened])
    // One that was opened meanwhile looks, too.
    clearInterval(this.#looking)
    if (opened.status === 'fulfilled') opened.value?.placement?.close()
    if (opened.status === 'fulfilled') await Promise.all(opened.value?.shards.map((shard) => shard.close()) ?? [])
  }

  async #open(): Promise<Opened> {
    const { commitEveryMs, url } = this.#options
    await probeBucket(this.#store)
    const count = await this.#shardCount()
    const node = this.#node
    const shards = Array.from({ length: count }, (_, n) => {
      const prefix = `shards/${String(n).padStart(4, '0')}/`
      return new Shard({
        slots: new BucketSlotLog(this.#store, `${prefix}slots/`),
        archive: new ShardArchive(this.#store, `${prefix}checkpoints/`),
        node,
        commitEveryMs,
        yields: url !== undefined,
      })
    })
    const storage = new ShardedLogStorage(shards)
    const placement = url === undefined ? undefined : await this.#join(storage, shards, { ...node, url })
    const archiving = new Set<Shard>()
    this.#looking = setInterval(() => {
      for (const shard of shards) {
        if (archiving.has(shard) || !isLong(shard)) continue
        archiving.add(shard)
        void this.#archive(shard).finally(() => archiving.delete(shard))
      }
    }, LOOK_MS).unref()
    return { storage, shards, placement }
  }

  async #join(storage: ShardedLogStorage, shards: readonly Shard[], self: Node): Promise<ShardPlacement> {
    const placement = new ShardPlacement({
      shards,
      numberOf: (database) => storage.numberOf(database),
      nodes: new Nodes(this.#store, self),
      lost: (...lost) => {
        for (const watcher of this.#watchers) watcher(...lost)
      },
      report: this.#options.report,
    })
    await placement.join()
    return placement
  }

  #placement(): Placement {
    const ready = async (): Promise<ShardPlacement> => (await this.ready()).placement!
    let isLeaving = false
    const { id } = this.#node
    return {
      get node() {
        return isLeaving ? undefined : id
      },
      elsewhere: async (database, asked) => (await ready()).elsewhere(database, asked),
      watch: (watcher) => void this.#watchers.push(watcher),
      leave: async () => {
        isLeaving = true
        await (await ready()).leave()
      },
    }
  }

  async #archive(shard: Shard): Promise<void> {
    try {
      await shard.archive()
    } catch (error) {
      if (this.#isClosed) return
      this.#options.report(error)
      await delay(AGAIN_MS, undefined, { ref: false })
    }
  }

  /** That of the cluster, which the first server of it says. */
  async #shardCount(): Promise<number> {
    const { shards } = this.#options
    const said = formatCluster({ version: 1, shards: shards ?? SHARDS, id: randomUUID() })
    if (await this.#store.create(KEY, Buffer.from(said))) return shards ?? SHARDS
    const known = parseCluster(Buffer.from((await this.#store.get(KEY)) ?? []).toString())
    if (!known)
      throw new RowcastError(
        'data',
        `${this.#store.address}${KEY} is not as rowcast wrote it: restore it from a copy, or give a prefix of the bucket that nothing else has`,
      )
    if (known.version !== 1)
      throw new RowcastError('options', `${this.#store.address} is of a newer rowcast: start that version`)
    if (shards !== undefined && shards !== known.shards)
      throw new RowcastError(
        'options',
        `${this.#store.address} has ${known.shards} shards, not ${shards}: their number is fixed with the first start`,
      )
    return known.shards
  }
}

interface Cluster {
  readonly version: number
  readonly shards: number
  /** So that no two are the same. */
  readonly id: string
}

function formatCluster({ version, shards, id }: Cluster): string {
  const cluster = { version, shards, id }
  return JSON.stringify({ ...cluster, sha256: createHash('sha256').update(JSON.stringify(cluster)).digest('hex') })
}

/** `undefined` where it is not as it was written. */
function parseCluster(text: string): Cluster | undefined {
  try {
    const known = JSON.parse(text) as Cluster
    return formatCluster(known) === text ? known : undefined
  } catch {
    return undefined
  }
}

function isLong(shard: Shard): boolean {
  const { bytes, records, sinceMs } = shard.tail
  return shard.isOwner && records > 0 && (bytes >= TAIL_BYTES || records >= TAIL_RECORDS || sinceMs >= TAIL_MS)
}
