import { PATHS, type PlainCells, type TableId, type Value } from './store-model.ts'
import { OUTSIDE } from './store-model.ts'
import type { Random } from './random.ts'
import type { Step, Write } from './store-steps.ts'

export const ITEMS: readonly string[] = ['i1', 'i2', 'i3', 'i4', 'i5']
export const LAYERS: readonly string[] = ['l1', 'l2', 'l3']

function value(random: Random, path: string): Value {
  if (path === 'name' || path === 'text.note') return random.pick(['new', 'old', '', 'ä😀'])
  if (path === 'slug') return random.pick(['s1', 's2', 's3', 's4', 's5'])
  if (path === 'x' || path === 'y') return random.int(3)
  if (path === 'rank') return random.int(4)
  if (path === 'text.size') return random.pick([12, 14, 0.5])
  if (path === 'points') return random.pick([[], [1], [1, 2], [2, 2, 3]])
  return random.pick(LAYERS)
}

function cells(random: Random, table: TableId, percent: number, mayRemove = false): PlainCells {
  const entries = PATHS[table]
    .filter(() => random.chance(percent))
    .map((path) => {
      const removes = mayRemove && random.chance(20) && !['rank', 'name', 'text.size'].includes(path)
      return [path, removes ? undefined : value(random, path)]
    })
  return Object.fromEntries(entries) as PlainCells
}

function someCells(random: Random, mayRemove: boolean): PlainCells {
  const some = cells(random, 'item', 15, mayRemove)
  return Object.keys(some).length > 0 ? some : { rank: random.int(4) }
}

function write(random: Random, depth: number): Write {
  const table = random.chance(15) ? 'layer' : 'item'
  const key = random.pick(table === 'layer' ? LAYERS : ITEMS)
  const item = random.pick(ITEMS)
  const path = random.pick(PATHS[table])
  const roll = random.int(depth < 2 ? 110 : 100)
  if (roll < 10) return { do: 'insert', table, key, cells: cells(random, table, 40) }
  if (roll < 30) return { do: 'set', table, key, path, value: value(random, path) }
  if (roll < 34) return { do: 'reset', table, key, path }
  if (roll < 42) return { do: 'update', key: item, cells: someCells(random, true) }
  if (roll < 47) return { do: 'recipe', key: item, cells: someCells(random, false) }
  if (roll < 51) return { do: 'upsert', key: item, cells: cells(random, 'item', 40) }
  if (roll < 54)
    return {
      do: 'updateMany',
      rank: random.int(3),
      cells: { 'text.note': random.pick(['old', 'x']), b: random.pick(LAYERS) },
    }
  if (roll < 60) return { do: 'delete', table, key }
  if (roll < 63) return { do: 'invalid', raw: random.chance(50), key: item }
  if (roll < 69) return { do: 'sql insert', key: item, cells: cells(random, 'item', 40) }
  if (roll < 77) return { do: 'sql update', key: item, cells: someCells(random, true) }
  if (roll < 80) return { do: 'sql replace', key: item, cells: cells(random, 'item', 30) }
  if (roll < 83) return { do: 'sql insert select', key: item, from: random.pick(ITEMS) }
  if (roll < 86) return { do: 'sql key', key: item, from: random.pick(ITEMS) }
  if (roll < 89) return { do: 'sql update all', rank: random.int(3) }
  if (roll < 91) return { do: 'sql delete all', rank: 2 + random.int(2) }
  if (roll < 94) return { do: 'sql cte', rank: random.int(3) }
  if (roll < 97) return { do: 'sql update from' }
  if (roll < 100) return { do: 'sql delete layer', key: random.pick(LAYERS) }
  const writes = Array.from({ length: 1 + random.int(5) }, () => write(random, depth + 1))
  return { do: 'transaction', writes, throws: random.chance(35) }
}

/** Any step; what it finds, and so whether it says anything, depends on those before. */
export function randomStep(random: Random): Step {
  const roll = random.int(100)
  if (roll < 6) return { history: random.chance(60) ? 'undo' : 'redo' }
  if (roll < 16) {
    const table = random.chance(30) ? 'layer' : 'item'
    const key = random.pick(table === 'layer' ? LAYERS : ITEMS)
    return { remote: { table, key, cells: cells(random, table, 25, true), remove: random.chance(15) } }
  }
  const who = random.chance(40) ? OUTSIDE : 1 + random.int(3)
  if (roll < 26 && who !== OUTSIDE) return { who, end: random.chance(50) ? 'commit' : 'cancel' }
  return { who, write: write(random, 0) }
}
