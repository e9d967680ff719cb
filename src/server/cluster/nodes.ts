import { sha256, type ObjectStore } from '../bucket/index.ts'
import type { NodeInfo } from './shard-record.ts'

/** A server that others reach. */
export type Node = NodeInfo & { readonly url: string }

const PREFIX = 'nodes/'
/** A server that does not answer within it, twice, counts as dead: so long a claim of its shards waits. */
const ANSWER_MS = 1_000
/** More than a timer is late on a busy machine. */
const STILL_MS = 300
/** What was found of a server holds for so long. */
const ALIVE_MS = 400
const DEAD_MS = 2_000
/** So long the list of all servers holds. */
const LISTED_MS = 15_000

/**
 * The servers of a cluster that others reach: each says where by an object of the bucket, `nodes/<hash of its address>`,
 * and whether it lives by answering `/healthz` with its id.
 */
export class Nodes {
  readonly self: Node
  readonly #store: ObjectStore
  readonly #found = new Map<string, { readonly url: string; readonly isAlive: Promise<boolean>; until: number }>()
  #listed: { readonly at: number; readonly nodes: Promise<readonly Node[]> } | undefined

  constructor(store: ObjectStore, self: Node) {
    this.self = self
    this.#store = store
  }

  /** Says that this server is there, in the place of one before it at the same address. */
  join(signal: AbortSignal): Promise<void> {
    return this.#store.put(keyOf(this.self), Buffer.from(JSON.stringify(this.self)), { signal })
  }

  /** Another one may be at this address by now. */
  async leave(signal: AbortSignal): Promise<void> {
    const bytes = await this.#store.get(keyOf(this.self), { signal })
    const there = bytes && parseNode(Buffer.from(bytes).toString())
    if (there?.id === this.self.id) await this.#store.delete([keyOf(this.self)], { signal })
  }

  /** Which of the servers that live is to have a shard, by rendezvous hashing: another one only for those of one that goes. */
  async chosen(shard: number, signal: AbortSignal, isLeaving = false): Promise<Node | undefined> {
    const others = (await this.#all(signal)).filter(({ url }) => url !== this.self.url)
    const areAlive = await Promise.all(others.map((node) => this.isAlive(node)))
    const alive = [...others.filter((_, n) => areAlive[n]), ...(isLeaving ? [] : [this.self])]
    return alive.toSorted((one, other) => compare(weight(other, shard), weight(one, shard)))[0]
  }

  /** Whether a server lives: the one of that id, not another one at its address. */
  isAlive(node: Node): Promise<boolean> {
    if (node.url === this.self.url) return Promise.resolve(node.id === this.self.id)
    const found = this.#found.get(node.id)
    if (found && performance.now() < found.until) return found.isAlive
    const one = { url: node.url, isAlive: answers(node), until: Infinity }
    this.#found.set(node.id, one)
    void one.isAlive.then((isAlive) => (one.until = performance.now() + (isAlive ? ALIVE_MS : DEAD_MS)))
    return one.isAlive
  }

  /** The server at an address may have gone since it was found alive. */
  doubt(url: string): void {
    for (const [id, found] of this.#found) if (found.url === url) this.#found.delete(id)
  }

  #all(signal: AbortSignal): Promise<readonly Node[]> {
    if (this.#listed && performance.now() - this.#listed.at < LISTED_MS) return this.#listed.nodes
    const listed = { at: performance.now(), nodes: this.#list(signal) }
    listed.nodes.catch(() => this.#listed === listed && (this.#listed = undefined))
    this.#listed = listed
    return listed.nodes
  }

  async #list(signal: AbortSignal): Promise<readonly Node[]> {
    const keys: string[] = []
    for await (const { key } of this.#store.list(PREFIX, { signal })) keys.push(key)
    const texts = await Promise.all(keys.map((key) => this.#store.get(key, { signal })))
    return texts.flatMap((bytes) => (bytes ? (parseNode(Buffer.from(bytes).toString()) ?? []) : []))
  }
}

function keyOf({ url }: Node): string {
  return PREFIX + sha256(url)
}

/** `undefined` for what is none: somebody else has put it there. */
function parseNode(text: string): Node | undefined {
  try {
    const { id, url } = JSON.parse(text) as Partial<Node>
    return typeof id === 'string' && typeof url === 'string' ? { id, url } : undefined
  } catch {
    return undefined
  }
}

/** One that refuses is dead; one that does not answer in time is asked once more. */
async function answers(node: Node): Promise<boolean> {
  for (let late = 0; late < 2;) {
    const askedAt = performance.now()
    const answer = await ask(node)
    if (answer !== 'late') return answer === 'alive'
    // An answer may have come while this server itself stood still.
    if (performance.now() - askedAt < ANSWER_MS + STILL_MS) late++
  }
  return false
}

async function ask({ id, url }: Node): Promise<'alive' | 'dead' | 'late'> {
  const signal = AbortSignal.timeout(ANSWER_MS)
  try {
    const answer = await fetch(new URL('/healthz', url), { signal, redirect: 'error' })
    const { node } = (await answer.json()) as { readonly node?: unknown }
    return answer.ok && node === id ? 'alive' : 'dead'
  } catch {
    return signal.aborted ? 'late' : 'dead'
  }
}

function weight({ url }: Node, shard: number): string {
  return sha256(`${shard} ${url}`)
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0
}
