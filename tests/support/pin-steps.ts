import type { BoardRow, PinDraft, PinPatch, PinRow, PinStore, TableId } from './pin-rows.ts'
import type { Random } from './random.ts'

export const OUTSIDE = 'outside'
const DRAFTS = [0, 1, 2] as const
export type DraftNumber = (typeof DRAFTS)[number]
export type Who = typeof OUTSIDE | DraftNumber

/** One write of the API. */
export type PinWrite =
  | { readonly do: 'insert' | 'upsert'; readonly row: PinRow }
  | { readonly do: 'insert board' | 'upsert board'; readonly row: BoardRow }
  | { readonly do: 'update'; readonly key: string; readonly patch: PinPatch }
  | { readonly do: 'update all'; readonly patch: PinPatch }
  | { readonly do: 'delete'; readonly table: TableId; readonly key: string }
  | { readonly do: 'remove leader'; readonly key: string }
  | { readonly do: 'reset'; readonly key: string; readonly path: (typeof RESETS)[number] }
  | { readonly do: 'set'; readonly key: string; readonly path: (typeof LEAVES)[number]; readonly value: number }

/** What another client has committed, as far as the rows at hand allow it. */
export type PinArrival =
  | { readonly arrives: 'insert' | 'update' | 'two updates'; readonly key: string; readonly cells: Omit<PinRow, 'id'> }
  | { readonly arrives: 'removal of leader' | 'delete'; readonly key: string }
  | { readonly arrives: 'insert board' | 'delete board'; readonly key: string }

export type PinStep =
  | { readonly who: Who; readonly write: PinWrite }
  | { readonly who: Who; readonly transaction: readonly PinWrite[]; readonly throws: boolean }
  | { readonly end: 'commit' | 'cancel'; readonly draft: DraftNumber }
  | { readonly history: 'undo' | 'redo' }
  | { readonly sql: string }
  | PinArrival

const PINS = ['x', 'y', 'z'] as const
const BOARDS = ['b1', 'b2'] as const
const RESETS = ['leader', 'leader.width', 'leader.tone', 'slug', 'rank'] as const
const LEAVES = ['leader.size', 'leader.width', 'leader.tone', 'rank'] as const
const STATEMENTS = [
  "update pin set leader = 1, leader_size = 3 where id = 'x'",
  "update pin set leader = null where id = 'x'",
  "update pin set leader = null, leader_size = null, leader_width = null, leader_tone = null where id = 'y'",
  'update pin set leader_width = 8 where leader = 1',
  "update pin set leader_tone = 2 where id = 'y'",
  "insert into pin (id, leader, leader_size, leader_tone) values ('y', 1, 2, 2)",
  "insert or replace into pin (id, slug) values ('z', 'A')",
  "update pin set slug = 'B' where id = 'z'",
  "update pin set slug = case id when 'x' then 'B' when 'y' then 'A' end",
  "update pin set boardId = 'b1', rank = rank + 1",
  'delete from pin where rank > 5',
  "delete from board where id = 'b1'",
] as const

function someCells(random: Random): Omit<PinRow, 'id'> {
  const leader = {
    size: 1 + random.int(2),
    ...(random.chance(50) ? { width: random.pick([7, 8]) } : {}),
    ...(random.chance(40) ? { tone: 1 + random.int(2) } : {}),
  }
  return {
    ...(random.chance(40) ? { slug: random.pick(['A', 'B', 'C']) } : {}),
    ...(random.chance(30) ? { rank: random.pick([5, 6]) } : {}),
    ...(random.chance(40) ? { boardId: random.pick(BOARDS) } : {}),
    ...(random.chance(50) ? { leader } : {}),
  }
}

function somePatch(random: Random): PinPatch {
  const inside = random.pick<PinPatch['leader']>([
    { width: 7 + random.int(3) },
    { tone: 1 },
    { tone: undefined },
    { size: 3 },
  ])
  const leader = random.chance(25) ? { leader: undefined } : random.chance(30) ? { leader: inside } : {}
  return {
    ...someCells(random),
    ...(random.chance(20) ? { slug: undefined } : {}),
    ...(random.chance(10) ? { boardId: undefined } : {}),
    ...leader,
  }
}

function randomWrite(random: Random): PinWrite {
  const key = random.pick(PINS)
  const board = random.pick(BOARDS)
  const roll = random.int(100)
  if (roll < 20) return { do: 'insert', row: { id: key, ...someCells(random) } }
  if (roll < 28) return { do: 'insert board', row: { id: board, ...(random.chance(50) ? { order: 1 } : {}) } }
  if (roll < 50) return { do: 'update', key, patch: somePatch(random) }
  if (roll < 62) return { do: 'upsert', row: { id: key, ...someCells(random) } }
  if (roll < 67) return { do: 'upsert board', row: { id: board, order: 1 + random.int(2) } }
  if (roll < 73) return { do: 'delete', table: 'pin', key }
  if (roll < 78) return { do: 'delete', table: 'board', key: board }
  if (roll < 83) return { do: 'remove leader', key }
  if (roll < 88) return { do: 'reset', key, path: random.pick(RESETS) }
  if (roll < 94) return { do: 'set', key, path: random.pick(LEAVES), value: random.pick([3, 4, 8]) }
  return { do: 'update all', patch: somePatch(random) }
}

function randomArrival(random: Random): PinArrival {
  const arrives = random.pick([
    ...(['insert', 'update', 'update', 'two updates', 'delete', 'removal of leader'] as const),
    ...(['insert board', 'delete board'] as const),
  ])
  if (arrives === 'insert board' || arrives === 'delete board') return { arrives, key: random.pick(BOARDS) }
  const key = random.pick(PINS)
  if (arrives === 'delete' || arrives === 'removal of leader') return { arrives, key }
  return { arrives, key, cells: someCells(random) }
}

/** Any step; what it finds, and so whether it does anything, depends on those before. */
export function randomPinStep(random: Random): PinStep {
  const who = random.chance(40) ? OUTSIDE : random.pick(DRAFTS)
  const roll = random.int(100)
  if (roll < 50) return { who, write: randomWrite(random) }
  if (roll < 57) {
    const transaction = Array.from({ length: 3 }, () => randomWrite(random))
    return { who, transaction, throws: random.chance(20) }
  }
  if (roll < 66) return { end: random.chance(50) ? 'commit' : 'cancel', draft: random.pick(DRAFTS) }
  if (roll < 74) return { history: 'undo' }
  if (roll < 79) return { history: 'redo' }
  if (roll < 88) return { sql: random.pick(STATEMENTS) }
  return randomArrival(random)
}

export function doPinWrite(place: PinStore | PinDraft, write: PinWrite): void {
  const pins = place.table('pin')
  if (write.do === 'insert') pins.insert(write.row)
  else if (write.do === 'upsert') pins.upsert(write.row)
  else if (write.do === 'update') pins.update(write.key, write.patch)
  else if (write.do === 'update all') pins.updateMany({}, write.patch)
  else if (write.do === 'delete') place.table(write.table).delete(write.key)
  else if (write.do === 'reset') pins.reset(write.key, write.path)
  else if (write.do === 'set') pins.set(write.key, write.path, write.value)
  else if (write.do === 'remove leader')
    pins.update(write.key, (pin) => {
      delete pin.leader
    })
  else if (write.do === 'insert board') place.table('board').insert(write.row)
  else place.table('board').upsert(write.row)
}
