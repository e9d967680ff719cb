import type { MemoryLane } from './memory-lane.ts'
import type { MemoryLink } from './memory-link.ts'

/**
 * What can happen to something under way. `deliver`: the oldest of a direction arrives. `reorder`: one arrives ahead of
 * those sent before it. `duplicate`: the oldest arrives and stays under way too. `drop`: the oldest is lost. `cut`: the
 * connection breaks; one side is told at once, and the other only after some of what was under way to it has arrived.
 */
export type Fault = 'deliver' | 'reorder' | 'duplicate' | 'drop' | 'cut'

/** How often each happens, as weights: 0 for never. */
export type FaultOdds = Readonly<Record<Fault, number>>

/** What a step did, for the log of a schedule. */
export interface FaultStep {
  /** `open` and `end`: the connection was established, or its end arrived. */
  readonly did: Fault | 'open' | 'end'
  /** Counted from 1, in the order they were opened. */
  readonly connection: number
  /** Whom the message was for, or who was told; undefined for `open`. */
  readonly to?: 'client' | 'server'
  readonly message?: string
}

/**
 * The network between any number of memory transports and their servers. Nothing moves on its own, and there is no clock:
 * a test calls `step`, and what happens depends on nothing but `random` and what was sent so far. Messages wait while
 * other directions are chosen, which is delay.
 */
export interface Faults {
  /** How many things are under way: messages, connections to establish, ends to tell. */
  readonly pending: number
  /** Does one thing to something under way: `fault`, or a random one. Undefined where nothing is under way. */
  step(fault?: Fault): FaultStep | undefined
  /** Breaks every connection as a crash of the server does: all under way is lost, and both sides are told at once. */
  cutAll(reason?: string): void
  /** For `memoryTransport`. */
  carry(create: (connection: number) => MemoryLink): MemoryLink
}

const MOSTLY_DELIVERED: FaultOdds = { deliver: 80, reorder: 6, duplicate: 6, drop: 6, cut: 2 }
const FAULTS: readonly Fault[] = ['deliver', 'reorder', 'duplicate', 'drop', 'cut']
const LOST = 'the connection was lost'

/**
 * Makes a network whose every move comes from `random`, which gives a whole number from 0 up to, not including, `below`:
 * the same seed and the same sends are the same schedule. For a real network, where one connection keeps order and
 * repeats nothing, give `{ deliver: 95, reorder: 0, duplicate: 0, drop: 0, cut: 5 }`.
 */
export function createFaults(random: (below: number) => number, odds: FaultOdds = MOSTLY_DELIVERED): Faults {
  const links = new Set<MemoryLink>()
  let opened = 0

  const choose = (): Fault => {
    let left = random(FAULTS.reduce((sum, fault) => sum + odds[fault], 0))
    return FAULTS.find((fault) => (left -= odds[fault]) < 0) ?? 'deliver'
  }

  const tidy = (): void => {
    for (const link of links) if (link.over) links.delete(link)
  }

  return {
    get pending() {
      tidy()
      return [...links].reduce((sum, link) => sum + pendingOf(link), 0)
    },
    step: (fault) => {
      tidy()
      const candidates = [...links].flatMap(movable)
      if (candidates.length === 0) return undefined
      const { link, lane } = candidates[random(candidates.length)]!
      const chosen = fault ?? choose()
      const step = lane ? moveLane(link, lane, chosen, random) : moveOpening(link, chosen)
      tidy()
      return step
    },
    cutAll: (reason = LOST) => {
      for (const link of links) {
        if (link.waiting) link.refuse(reason)
        link.toServer.cut(reason)
        link.toClient.cut(reason)
      }
      tidy()
    },
    carry: (create) => {
      const link = create((opened += 1))
      links.add(link)
      return link
    },
  }
}

function pendingOf(link: MemoryLink): number {
  return link.waiting ? 1 : link.toServer.pending + link.toClient.pending
}

function movable(link: MemoryLink): { link: MemoryLink; lane?: MemoryLane }[] {
  if (link.waiting) return [{ link }]
  return [link.toServer, link.toClient].filter((lane) => lane.pending > 0).map((lane) => ({ link, lane }))
}

function moveOpening(link: MemoryLink, fault: Fault): FaultStep {
  const { connection } = link
  if (fault === 'cut' || fault === 'drop') {
    link.refuse('the server could not be reached')
    return { did: 'cut', connection, to: 'client' }
  }
  link.establish()
  return { did: 'open', connection }
}

function moveLane(link: MemoryLink, lane: MemoryLane, fault: Fault, random: (below: number) => number): FaultStep {
  const at = { connection: link.connection, to: lane.to }
  if (fault === 'cut') {
    const other = lane === link.toServer ? link.toClient : link.toServer
    other.keepFirst(random(other.messages + 1))
    other.putEnding(LOST)
    lane.cut(LOST)
    return { did: 'cut', ...at }
  }
  // An end stays the last of its direction, whatever the odds.
  if (lane.messages === 0) {
    lane.deliver()
    return { did: 'end', ...at }
  }
  const index = fault === 'reorder' && lane.messages > 1 ? 1 + random(lane.messages - 1) : 0
  const message = fault === 'drop' ? lane.drop() : lane.deliver(index, fault === 'duplicate')
  return {
    did: index === 0 && fault === 'reorder' ? 'deliver' : fault,
    ...at,
    ...(message === undefined ? {} : { message }),
  }
}
