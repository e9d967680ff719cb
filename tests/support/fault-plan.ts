import { bucketFaults, type BucketFault } from './faulty-bucket.ts'
import { Random } from './random.ts'

/** What happens to a server: it is killed, told to end, frozen, or cut off from the others. */
export type NodeFault = 'kill' | 'end' | 'freeze' | 'cut'

/** What happens to a server of NATS, or to all of them: killed, or told to end. One that was frozen may have lost what it had. */
export type NatsFault = 'kill' | 'end' | 'kill all'

/** Something that goes wrong for a while, in milliseconds since the beginning. */
export type PlannedFault = { readonly atMs: number; readonly lastsMs: number } & (
  | { readonly on: 'node'; readonly fault: NodeFault; readonly node: FaultTarget }
  | { readonly on: 'nats'; readonly fault: NatsFault; readonly place: number }
  | { readonly on: 'bucket'; readonly fault: BucketFault; readonly percent: number }
)

/** A server: by its place among all, or as the one that looks after a database by then. */
export type FaultTarget = { readonly place: number } | { readonly ownerOf: string }

export interface FaultPlanOptions {
  readonly seed: number
  readonly lengthMs: number
  readonly nodes: number
  /** Servers of NATS that have the log; none if not given. */
  readonly natsServers?: number
  readonly databases: readonly string[]
  /** How long something that is told to last is at most, in milliseconds. */
  readonly longestMs: number
}

const KILLED_MS = 3_000
const FROZEN_MS = [500, 5_000, 20_000, 60_000]
/** Until those of NATS have elected somebody. */
const ELECTED_MS = 10_000
const SHORT_MS = [300, 1_000, 3_000, 8_000, 20_000, 60_000]
const PERCENT = [10, 50, 100]

/**
 * What goes wrong, as a seed determines it: two things may go wrong with servers at once, one with the bucket, and one with
 * NATS, and now and then nothing does.
 */
export function planFaults(options: FaultPlanOptions): PlannedFault[] {
  const { seed, lengthMs, nodes, natsServers = 0, databases, longestMs } = options
  const random = new Random(seed)
  const lasts = (from: readonly number[]): number => random.pick(from.filter((ms) => ms <= longestMs))
  const target = (): FaultTarget =>
    random.chance(60) ? { ownerOf: random.pick(databases) } : { place: random.int(nodes) }
  const ofNodes = (): PlannedFault[] =>
    track((atMs) => {
      const fault = random.pick<NodeFault>(['kill', 'kill', 'end', 'freeze', 'freeze', 'cut'])
      const lastsMs = fault === 'freeze' ? lasts(FROZEN_MS) : 200 + random.int(KILLED_MS)
      return { on: 'node', fault, node: target(), atMs, lastsMs }
    }, 3_000)
  const ofBucket = (): PlannedFault[] =>
    track((atMs) => {
      const fault = random.pick(bucketFaults)
      return { on: 'bucket', fault, percent: random.pick(PERCENT), atMs, lastsMs: lasts(SHORT_MS) }
    }, 4_000)
  const ofNats = (): PlannedFault[] =>
    track((atMs) => {
      const fault = random.pick<NatsFault>(['kill', 'kill', 'kill', 'end', 'kill all'])
      return { on: 'nats', fault, place: random.int(natsServers), atMs, lastsMs: 200 + random.int(KILLED_MS) }
    }, ELECTED_MS)
  const track = (next: (atMs: number) => PlannedFault, pauseMs: number): PlannedFault[] => {
    const planned: PlannedFault[] = []
    for (let atMs = random.int(pauseMs); atMs < lengthMs; atMs += random.int(2 * pauseMs)) {
      const fault = next(atMs)
      planned.push(fault)
      atMs += fault.lastsMs
    }
    return planned
  }
  return [...ofNodes(), ...ofNodes(), ...ofBucket(), ...(natsServers > 0 ? ofNats() : [])].toSorted(
    (one, other) => one.atMs - other.atMs,
  )
}

export function describeFault(planned: PlannedFault): string {
  const { on, fault, lastsMs } = planned
  const length = `for ${lastsMs} ms`
  if (on === 'bucket') return `the bucket: ${fault}, ${planned.percent} % ${length}`
  if (on === 'nats') return `server ${planned.place} of NATS: ${fault} ${length}`
  const { node } = planned
  return `${'place' in node ? `server ${node.place}` : `the owner of ${node.ownerOf}`}: ${fault} ${length}`
}
