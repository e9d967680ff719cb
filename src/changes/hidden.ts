import { setOwn } from './cell-kind.ts'
import type { CellObject } from './cell-kind.ts'
import type { Cells, CellValue } from './change-set.ts'

// A class of its own: nothing takes an instance for a plain object, as which it could be stored.
class Hidden {
  readonly [key: string]: never
}

/**
 * What stands for a cell that a server withholds from a client, on its way there: a value of `Arrival.after`, and as
 * `{"$hidden":true}` on the wire. It is no value: readers see `undefined`, and a write of it is refused.
 */
export const HIDDEN: CellObject = Object.freeze(new Hidden())

const hiddenPaths = new WeakMap<Cells, readonly string[]>()
const none: readonly string[] = []

/**
 * The paths of cells that are hidden on this side of a change: `undefined` or left out there, although the row has them.
 * It is known only in the memory of whoever captured the change: what goes back (an undo, a refusal) is hidden again.
 */
export function hiddenPathsOf(cells: Cells): readonly string[] {
  return hiddenPaths.get(cells) ?? none
}

/** Remembers which cells of one side of a change are hidden. Returns the same cells. */
export function noteHidden<Side extends Cells>(cells: Side, paths: readonly string[]): Side {
  if (paths.length > 0) hiddenPaths.set(cells, paths)
  return cells
}

/** Cells from a server: those that are `HIDDEN` are left out, and noted. */
export function withoutHidden(cells: Cells): Cells {
  const paths = Object.keys(cells).filter((path) => cells[path] === HIDDEN)
  if (paths.length === 0) return cells
  const shown: { [path: string]: CellValue } = {}
  for (const path of Object.keys(cells)) if (cells[path] !== HIDDEN) setOwn(shown, path, cells[path])
  return noteHidden(shown, paths)
}

/** One side of a change with `HIDDEN` in each cell that is: the reverse of `withoutHidden`. */
export function withHidden(cells: Cells): Cells {
  const paths = hiddenPathsOf(cells)
  if (paths.length === 0) return cells
  const all: { [path: string]: CellValue } = { ...cells }
  for (const path of paths) setOwn(all, path, HIDDEN)
  return all
}
