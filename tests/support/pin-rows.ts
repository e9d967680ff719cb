import { defineSchema, type CellValue, type Cells, type Draft, type InsertOf, type PatchOf, type Store } from 'rowcast'

/** Pins that belong to boards: their leader is an optional object with a leaf that it requires and one with a default. */
export const pinSchema = defineSchema({
  version: 1,
  tables: {
    board: {
      primaryKey: 'id',
      schema: {
        type: 'object',
        required: ['id'],
        properties: { id: { type: 'string' }, order: { type: 'integer' } },
      },
    },
    pin: {
      primaryKey: 'id',
      unique: [['slug']],
      references: { boardId: { table: 'board', onDelete: 'cascade' } },
      schema: {
        type: 'object',
        required: ['id'],
        properties: {
          id: { type: 'string' },
          slug: { type: 'string' },
          rank: { type: 'integer', default: 5 },
          boardId: { type: 'string' },
          leader: {
            type: 'object',
            required: ['size'],
            properties: {
              size: { type: 'integer' },
              width: { type: 'integer', default: 7 },
              tone: { type: 'integer' },
            },
          },
        },
      },
    },
  },
})

type Shape = typeof pinSchema extends { readonly definition: infer S } ? S : never
export type PinStore = Store<Shape>
export type PinDraft = Draft<Shape>
export type BoardRow = InsertOf<Shape, 'board'>
export type PinRow = InsertOf<Shape, 'pin'>
export type PinPatch = PatchOf<Shape, 'pin'>

export const TABLES = ['board', 'pin'] as const
export type TableId = (typeof TABLES)[number]
const PATHS: { readonly [T in TableId]: readonly string[] } = {
  board: ['id', 'order'],
  pin: ['id', 'slug', 'rank', 'boardId', 'leader', 'leader.size', 'leader.width', 'leader.tone'],
}
export const DEFAULTS: Cells = { rank: 5, 'leader.width': 7 }

/** The rows of each table by their keys, each as its cells with their defaults; `leader` is `{}` where it is there. */
export type PlainState = { readonly [T in TableId]: ReadonlyMap<string, Cells> }

/** Whether a cell stands under an object that is not there. */
export const isWithoutObject = (path: string, row: Cells): boolean =>
  path.startsWith('leader.') && row['leader'] === undefined

/** Cells as a reader sees them: with defaults, in a fixed order, and none under an object that is not there. */
export function seenCells(table: TableId, cells: Cells): Cells {
  const seen: { [path: string]: CellValue } = {}
  for (const path of PATHS[table]) {
    const value = isWithoutObject(path, seen) ? undefined : (cells[path] ?? DEFAULTS[path])
    if (value !== undefined) seen[path] = value
  }
  return seen
}

/** A row or what was given for one, by paths. */
export function cellsOf(row: { readonly leader?: Cells | undefined; readonly [name: string]: CellValue }): Cells {
  const { leader, ...cells } = row
  const inside = Object.entries(leader ?? {}).map(([name, value]): [string, CellValue] => [`leader.${name}`, value])
  return { ...cells, ...('leader' in row ? { leader: leader && {} } : {}), ...Object.fromEntries(inside) }
}

/** What `table.all()` of a store reads. */
export function readState(store: PinStore): PlainState {
  return {
    board: new Map(
      store
        .table('board')
        .all()
        .map((row) => [row.id, seenCells('board', { ...row })]),
    ),
    pin: new Map(
      store
        .table('pin')
        .all()
        .map((row) => [row.id, seenCells('pin', cellsOf(row))]),
    ),
  }
}

/** What a SELECT through a table's view reads. */
export function queryState(store: PinStore): PlainState {
  const cells = (table: TableId): [string, Cells][] =>
    store.query({ sql: `select * from ${table}`, parameters: [] }).map((row) => {
      const found = PATHS[table].map((path): [string, CellValue] => {
        const value = row[path.replace('.', '_')] ?? undefined
        return [path, path === 'leader' && value === 1 ? {} : value]
      })
      return [String(row['id']), Object.fromEntries(found.filter(([, value]) => value !== undefined))]
    })
  return { board: new Map(cells('board')), pin: new Map(cells('pin')) }
}
