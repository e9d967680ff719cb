import { RowcastError, StoreClosedError } from '../../errors/index.ts'
import { LogMovedError } from '../log-errors.ts'
import type { AskedPlace, LostWatcher, OtherServer, Placement } from '../log.ts'
import { Contention } from './contention.ts'
import type { Node, Nodes } from './nodes.ts'
import { SILENCE_MS, type Shard } from './shard.ts'
import type { Claim } from './shard-state.ts'

/** How often it is looked which servers live, and which shards this one has. */
const LOOK_MS = 500
/** A look that comes so late was slept through. */
const SLEPT_MS = 1_500
/** Whose shard a database's is holds for so long, while that server lives. */
const KNOWN_MS = 5_000
/** An owner that appends nothing sees so often that it is still the owner. */
const PROVE_MS = 5_000

export interface ShardPlacementOptions {
  readonly shards: readonly Shard[]
  readonly numberOf: (database: string) => number
  /** Whether anyone here uses what is in a shard. */
  readonly isInUse: (shard: Shard) => boolean
  readonly nodes: Pick<Nodes, keyof Nodes>
  /** Told of shards that this server has no more: which databases are in it, and where the next owner is reached. */
  readonly lost: LostWatcher
  readonly report: (error: unknown) => void
}

/**
 * Which server has which shard. A shard belongs to who has claimed it, for as long as that server lives; then to whichever of
 * those that live is chosen. Nothing here decides what is in a log: a server that is taken for dead and is not is deposed by
 * the claim, and finds out by its next append.
 */
export class ShardPlacement implements Pick<Placement, 'elsewhere' | 'leave'> {
  readonly #options: ShardPlacementOptions
  readonly #closing = new AbortController()
  readonly #owned = new Set<Shard>()
  /** When the log of a shard was read last. */
  readonly #lookedAt = new Map<Shard, number>()
  readonly #timer: NodeJS.Timeout
  readonly #contentions = new Map<Shard, Contention>()
  readonly #busy = new Set<Shard>()
  /** Where those were sent who asked for a database of a shard. */
  readonly #others = new Map<Shard, { readonly node: Node; readonly gone: AbortController }>()
  #isLeaving = false
  #lookedAllAt = performance.now()

  constructor(options: ShardPlacementOptions) {
    this.#options = options
    this.#timer = setInterval(() => this.#lookAtAll(), LOOK_MS).unref()
  }

  /** Says that this server is there. */
  async join(): Promise<void> {
    await this.#options.nodes.join(this.#closing.signal)
  }

  async elsewhere(
    database: string,
    { isSent = false, isStale = false }: AskedPlace = {},
  ): Promise<OtherServer | undefined> {
    const number = this.#options.numberOf(database)
    const shard = this.#options.shards[number]!
    if (shard.isOwner) await this.#prove(shard)
    // Whoever sends someone here knows that what others knew is over; so does one who was sent in vain.
    if (!shard.isOwner && (isSent || isStale || this.#isOld(shard))) await this.#look(shard)
    // One that is about to go may have been found alive just before: the owner, or whoever was chosen.
    if (isStale) this.#doubt(shard)
    while (!shard.isOwner) {
      const owner = await this.#owner(shard.claim)
      if (owner) return this.#other(shard, owner)
      const chosen = await this.#chosen(number)
      if (!chosen) throw new StoreClosedError('the server')
      if (chosen.id !== this.#options.nodes.self.id && (!isSent || this.#isLeaving)) return this.#other(shard, chosen)
      if (this.#isLeaving) throw new StoreClosedError('the server')
      if (!this.#mayClaim(number, shard)) return this.#other(shard, claimant(shard))
      await this.#claim(shard)
    }
    return undefined
  }

  async leave(): Promise<void> {
    if (this.#isLeaving) return
    this.#isLeaving = true
    clearInterval(this.#timer)
    const { nodes, shards } = this.#options
    const { signal } = this.#closing
    const released = await Promise.allSettled(
      shards.map(async (shard, number) => {
        if (!shard.isOwner) return
        const next = await this.#chosen(number)
        await shard.release()
        this.#tellLost(shard, next?.url)
      }),
    )
    await nodes.leave(signal)
    for (const one of released) if (one.status === 'rejected') throw one.reason
  }

  close(): void {
    clearInterval(this.#timer)
    this.#closing.abort(new StoreClosedError('the cluster'))
  }

  /** The owner by a claim, where it lives and is reached. */
  async #owner(claim: Claim | undefined): Promise<Node | undefined> {
    const { url, id } = claim?.node ?? {}
    if (url === undefined || id === undefined) return undefined
    return (await this.#options.nodes.isAlive({ id, url })) ? { id, url } : undefined
  }

  /** Those to whom someone was sent in vain are asked anew whether they live. */
  #doubt(shard: Shard): void {
    for (const node of [shard.claim?.node, this.#others.get(shard)?.node])
      if (node?.url !== undefined) this.#options.nodes.doubt(node.url)
  }

  #chosen(number: number): Promise<Node | undefined> {
    return this.#options.nodes.chosen(number, this.#closing.signal, this.#isLeaving)
  }

  #other(shard: Shard, node: Node): OtherServer {
    let other = this.#others.get(shard)
    if (other?.node.id !== node.id) {
      this.#forget(shard)
      other = { node, gone: new AbortController() }
      this.#others.set(shard, other)
    }
    return { url: node.url, gone: other.gone.signal }
  }

  /** Whoever waits for another server waits in vain. */
  #forget(shard: Shard): void {
    const other = this.#others.get(shard)
    this.#others.delete(shard)
    other?.gone.abort(new RowcastError('unavailable', `the server at ${other.node.url} is gone`))
  }

  /** Not where it has just claimed it again and again: whoever has it lives, though it is not seen from here. */
  #mayClaim(number: number, shard: Shard): boolean {
    const { url } = shard.claim?.node ?? {}
    const contention = this.#contentionOf(shard)
    if (url === undefined || contention.mayClaim(performance.now())) return true
    if (contention.tell()) this.#reportContention(number, url)
    return false
  }

  #contentionOf(shard: Shard): Contention {
    const contention = this.#contentions.get(shard) ?? new Contention()
    this.#contentions.set(shard, contention)
    return contention
  }

  /** Whoever is faster has it. */
  async #claim(shard: Shard): Promise<void> {
    await shard.claimAfter(shard.claim)
    this.#lookedAt.set(shard, performance.now())
    if (!shard.isOwner) return
    this.#contentionOf(shard).claimed(performance.now())
    this.#owned.add(shard)
    this.#forget(shard)
  }

  #reportContention(number: number, url: string): void {
    const { nodes, report } = this.#options
    const advice =
      url === nodes.self.url
        ? `another server advertises ${url} as well: give each an address of its own`
        : `this server and that at ${url} take each other for dead: see that each reaches the other by the address that it advertises`
    report(new RowcastError('options', `the databases of shard ${number} go back and forth, as ${advice}`))
  }

  async #look(shard: Shard): Promise<void> {
    const at = performance.now()
    await shard.look()
    this.#lookedAt.set(shard, at)
  }

  /** Finds out whether it was deposed while it said nothing. */
  async #prove(shard: Shard): Promise<void> {
    try {
      await shard.prove(SILENCE_MS)
    } catch (error) {
      if (!(error instanceof LogMovedError)) throw error
    }
  }

  #isOld(shard: Shard): boolean {
    return performance.now() - (this.#lookedAt.get(shard) ?? -Infinity) > KNOWN_MS
  }

  #lookAtAll(): void {
    const now = performance.now()
    // What it had was taken from it rightly then.
    if (now - this.#lookedAllAt > SLEPT_MS) this.#contentions.clear()
    this.#lookedAllAt = now
    for (const [number, shard] of this.#options.shards.entries()) {
      if (this.#owned.has(shard) && !shard.isOwner) this.#tellLost(shard, shard.claim?.node.url)
      if (this.#busy.has(shard)) continue
      this.#busy.add(shard)
      this.#lookAt(number, shard)
        .catch((error: unknown) => {
          if (!this.#closing.signal.aborted && !(error instanceof LogMovedError)) this.#options.report(error)
        })
        .finally(() => this.#busy.delete(shard))
    }
  }

  /** An owner sees whether it is still the owner; where another one has died, its shard is claimed by the one that is chosen. */
  async #lookAt(number: number, shard: Shard): Promise<void> {
    if (shard.isOwner) {
      this.#owned.add(shard)
      if (this.#options.isInUse(shard)) await shard.prove(PROVE_MS)
      return
    }
    const other = this.#others.get(shard)
    if (other && !(await this.#options.nodes.isAlive(other.node))) this.#forget(shard)
    const { claim } = shard
    if (!claim || (await this.#owner(claim))) return
    const chosen = await this.#chosen(number)
    const isChosen = !this.#isLeaving && chosen?.id === this.#options.nodes.self.id
    if (isChosen && this.#mayClaim(number, shard)) await this.#claim(shard)
  }

  #tellLost(shard: Shard, url: string | undefined): void {
    this.#owned.delete(shard)
    const isLost = (database: string): boolean => this.#options.shards[this.#options.numberOf(database)] === shard
    this.#options.lost(isLost, url)
  }
}

/** The server that has claimed a shard, which others reach. */
function claimant({ claim }: Shard): Node {
  const { id, url } = claim!.node
  return { id, url: url! }
}
