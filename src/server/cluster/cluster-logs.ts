import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { RowcastError } from '../../errors/index.ts'
import { probeBucket, type ObjectStore } from '../bucket/index.ts'
import type { Log, LogStorage, LostWatcher, Placement } from '../log.ts'
import { BucketSlotLog } from './bucket-slot-log.ts'
import { agreeOnCluster } from './cluster-file.ts'
import { Nodes, type Node } from './nodes.ts'
import { ShardPlacement } from './shard-placement.ts'
import { ShardArchive } from './shard-archive.ts'
import type { NodeInfo } from './shard-record.ts'
import { Shard } from './shard.ts'
import { ShardedLogStorage } from './sharded-log-storage.ts'
import { shardPrefix, type SlotLogs } from './slot-log.ts'

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
  /** Where the logs of shards lie; in the bucket itself if not given. */
  readonly slots?: SlotLogs | undefined
  /** Told where what was appended can't be put into segments for now. */
  readonly report: (error: unknown) => void
}

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

/**
 * The logs of databases that any number of servers share, with all but the newest entries in a bucket. It is looked at when
 * they are used first.
 */
export class ClusterLogs implements LogStorage {
  readonly #store: ObjectStore
  readonly #options: ClusterOptions
  readonly #slots: SlotLogs
  readonly #node: NodeInfo
  readonly placement: Placement | undefined
  readonly #watchers: LostWatcher[] = []
  #opened: Promise<Opened> | undefined
  #looking: NodeJS.Timeout | undefined
  #isClosed = false

  /** Throws RowcastError (`options`) for a number of shards, or of milliseconds, that is none. */
  constructor(store: ObjectStore, options: ClusterOptions) {
    const { shards, commitEveryMs = 0 } = options
    if (shards !== undefined && !(Number.isInteger(shards) && shards >= 1 && shards <= MOST_SHARDS))
      throw new RowcastError('options', `${shards} shards can't be had: give a number from 1 to ${MOST_SHARDS}`)
    if (!(commitEveryMs >= 0 && commitEveryMs <= 60_000))
      throw new RowcastError('options', `commits every ${commitEveryMs} ms can't be had: give 0 to 60,000`)
    this.#store = store
    this.#options = options
    this.#slots = options.slots ?? bucketSlots(store)
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
    if (opened.status === 'fulfilled') {
      opened.value?.placement?.close()
      await Promise.all(opened.value?.shards.map((shard) => shard.close()) ?? [])
    }
    await this.#slots.close?.()
  }

  async #open(): Promise<Opened> {
    const { commitEveryMs, url, shards: wanted } = this.#options
    await probeBucket(this.#store)
    const cluster = await agreeOnCluster(this.#store, { shards: wanted, log: this.#slots.kind })
    await this.#slots.ready?.(cluster.id)
    const node = this.#node
    const shards = Array.from(
      { length: cluster.shards },
      (_, n) =>
        new Shard({
          slots: this.#slots.open(n, cluster.id),
          archive: new ShardArchive(this.#store, `${shardPrefix(n)}checkpoints/`),
          node,
          commitEveryMs,
          yields: url !== undefined,
        }),
    )
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
      isInUse: (shard) => storage.isInUse(shard),
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
}

function bucketSlots(store: ObjectStore): SlotLogs {
  return { kind: 'bucket', open: (shard) => new BucketSlotLog(store, `${shardPrefix(shard)}slots/`) }
}

function isLong(shard: Shard): boolean {
  const { bytes, records, sinceMs } = shard.tail
  return shard.isOwner && records > 0 && (bytes >= TAIL_BYTES || records >= TAIL_RECORDS || sinceMs >= TAIL_MS)
}
