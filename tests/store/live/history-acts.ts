import { RowcastError, type Draft, type SchemaInput, type Store } from 'rowcast'
import type { Random } from '../../support/random.ts'
import { randomWhere } from './history-queries.ts'
import { randomItem, randomItemKey, randomValue, TEXTS, WRITABLE } from './history-values.ts'

/** A store with what was begun or kept on the way. */
export interface World {
  readonly store: Store
  readonly drafts: Draft<SchemaInput>[]
  readonly exports: Uint8Array[]
  /** Begins to follow another live query. */
  readonly follow: () => void
}

type Space = Store | Draft<SchemaInput>

/** Thrown to undo a transaction. */
class Undone extends Error {
  override readonly name = 'Undone'
}

/** Does something that may be refused, or that is undone. */
export function attempt(act: () => void): void {
  try {
    act()
  } catch (error) {
    if (!(error instanceof RowcastError) && !(error instanceof Undone)) throw error
  }
}

const patches = [
  { label: undefined },
  { label: null },
  { label: { text: 'n' } },
  { label: { font: { size: 4 } } },
  { label: { font: undefined } },
  { extra: undefined },
]

/** Writes in SQL; many of them change keys, or rows that refer to one that goes. */
const statements = [
  'update item set rank = rank + 1 where a = 3',
  'update item set a = 23 - a',
  "update item set b = 'y', rank = 2 where a = 2 and b = 'x'",
  `update "group" set id = 'g9' where id = 'g1'`,
  `update "group" set id = 'g1' where id = 'g9'`,
  'update wide set id = id + 1 where value = 2',
  "update flag set name = name || 'q' where count = 1",
  'update flag set "on" = not "on"',
  'update item set "on" = not "on"',
  'update item set label_text = null, label = null where a = 1',
  `update item set _rest = '{"extra":{"k":3}}' where a = 3`,
  'delete from item where size > 1.7',
  "insert into item (a, b, text) select id, 'x', 'raw' from wide where id between 0 and 5",
  `replace into flag ("on", name, slug, count) values (1, 'a', 'b', 3)`,
]

function write(space: Space, random: Random): void {
  const items = space.table('item')
  const key = randomItemKey(random)
  const path = random.pick(WRITABLE)!
  switch (random.int(14)) {
    case 0:
    case 1:
      items.upsert(randomItem(random))
      break
    case 2:
      items.delete(key)
      break
    case 3:
    case 4:
      items.set(key, path, randomValue(random, path))
      break
    case 5:
      items.reset(key, path)
      break
    case 6:
      items.update(key, random.pick(patches)!)
      break
    case 7:
      items.updateMany(randomWhere(random), { rank: random.int(8), text: random.pick(TEXTS) })
      break
    case 8:
      space.exec({ sql: random.pick(statements)! })
      break
    case 9:
      space.table('group').upsert({
        id: random.pick(['g1', 'g2', 'g9']),
        name: random.pick(['n', 'm']),
        weight: random.pick([null, 3, 4]),
      })
      break
    case 10:
      space.table('group').delete(random.pick(['g1', 'g2', 'g9'] as const))
      break
    case 11:
      space.table('wide').upsert({
        id: random.pick([0n, 1n, 2n, 3n, 2n ** 60n + 1n, 2n ** 60n + 2n]),
        value: random.int(4),
        ...(random.chance(50) && { groupId: random.pick(['g1', 'g2']) }),
      })
      break
    case 12: {
      const [on, name] = [random.chance(50), random.pick(['a', 'b', 'aq'] as const)]
      if (random.chance(40)) space.table('flag').delete([on, name])
      else space.table('flag').upsert({ on, name, slug: random.pick(['a', 'b', 'c', 'd']), count: random.int(3) })
      break
    }
    default:
      if (random.chance(50)) space.value('scene').set('title', random.pick(['T', 'U']))
      else space.value('scene').reset()
  }
}

/**
 * Four writes, some of them in savepoints; some savepoints are undone, and some whole transactions. Who begins to follow
 * a query in between has seen what may be undone.
 */
function transact(space: Space, follow: () => void, random: Random): void {
  space.transaction(() => {
    for (let n = 0; n < 4; n++) {
      if (random.chance(5)) follow()
      if (random.chance(70)) attempt(() => write(space, random))
      else
        attempt(() =>
          space.transaction(() => {
            attempt(() => write(space, random))
            attempt(() => write(space, random))
            if (random.chance(50)) throw new Undone()
          }),
        )
    }
    if (random.chance(30)) throw new Undone()
  })
}

/** Whatever a program may do with a store, outside of it or in one of at most three drafts. Gives the name of it. */
export function actAtRandom({ store, drafts, exports, follow }: World, random: Random): string {
  const space = random.chance(30) ? (random.pick(drafts) ?? store) : store
  switch (random.int(20)) {
    case 0:
    case 1:
    case 2:
      attempt(() => transact(space, follow, random))
      return 'transaction'
    case 3:
      if (drafts.length < 3) drafts.push(store.draft())
      return 'draft'
    case 4: {
      const [draft] = drafts.splice(random.int(drafts.length), 1)
      attempt(() => (random.chance(50) ? draft?.commit() : draft?.cancel()))
      return 'end of a draft'
    }
    case 5:
      attempt(() => store.history.undo())
      return 'undo'
    case 6:
      attempt(() => store.history.redo())
      return 'redo'
    case 7: {
      if (random.chance(30)) exports.push(store.export())
      const file = random.chance(20) ? random.pick(exports) : undefined
      if (file) attempt(() => store.import(file))
      return 'export or import'
    }
    default:
      attempt(() => write(space, random))
      return 'write'
  }
}
