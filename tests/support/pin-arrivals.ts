import type { Cells, RowChange } from 'rowcast'
import { cellsOf, DEFAULTS, type PlainState } from './pin-rows.ts'
import { show } from './pin-replay.ts'
import type { PinArrival } from './pin-steps.ts'

/** An arrival as a server would send it: only what the committed state allows. */
export function arrivalOf({ board, pin }: PlainState, step: PinArrival): RowChange[] {
  const { arrives, key } = step
  const gone = (id: string): RowChange[] => {
    const row = pin.get(id)
    return row ? [{ table: 'pin', key: id, op: 'delete', before: storedCells(row), after: {} }] : []
  }
  const allowed = (id: string, given: Cells): Cells => {
    const taken = [...pin].some(([other, { slug }]) => other !== id && slug !== undefined && slug === given['slug'])
    const { slug, boardId, ...cells } = given
    return {
      ...cells,
      ...(slug === undefined || taken ? {} : { slug }),
      ...(typeof boardId === 'string' && board.has(boardId) ? { boardId } : {}),
    }
  }
  const updated = (id: string, given: Cells): RowChange[] => {
    const row = pin.get(id)
    if (!row) return []
    const paths = Object.keys(given).filter((path) => show(row[path]) !== show(given[path]))
    const side = (cells: Cells): Cells => Object.fromEntries(paths.map((path) => [path, cells[path]]))
    return paths.length > 0 ? [{ table: 'pin', key: id, op: 'update', before: side(row), after: side(given) }] : []
  }
  switch (arrives) {
    case 'insert': {
      if (pin.has(key)) return []
      return [{ table: 'pin', key, op: 'insert', before: {}, after: { id: key, ...allowed(key, cellsOf(step.cells)) } }]
    }
    case 'update':
      return updated(key, allowed(key, cellsOf(step.cells)))
    case 'two updates': {
      const { rank = 6, leader } = step.cells
      return ['x', 'y'].flatMap((id) => updated(id, cellsOf({ rank, ...(leader ? { leader } : {}) })))
    }
    case 'removal of leader': {
      const inside = Object.keys(storedCells(pin.get(key) ?? {})).filter((path) => path.startsWith('leader'))
      return updated(key, Object.fromEntries(inside.map((path) => [path, undefined])))
    }
    case 'delete':
      return gone(key)
    case 'insert board':
      return board.has(key) ? [] : [{ table: 'board', key, op: 'insert', before: {}, after: { id: key } }]
    case 'delete board': {
      const row = board.get(key)
      if (!row) return []
      const along = [...pin].filter(([, { boardId }]) => boardId === key).flatMap(([id]) => gone(id))
      return [...along, { table: 'board', key, op: 'delete', before: row, after: {} }]
    }
  }
}

const storedCells = (row: Cells): Cells =>
  Object.fromEntries(Object.entries(row).filter(([path, value]) => value !== DEFAULTS[path]))
