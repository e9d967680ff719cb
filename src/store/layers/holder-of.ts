import { sameSql, type Column } from '../../schema/index.ts'
import { guardsOf } from '../rows/objects.ts'
import type { Layer, RowStack } from './row-stack.ts'

/** The draft by which alone a row has its values in some columns: it has put the row there, or one of the values. */
export function holderOf(
  stack: RowStack | undefined,
  columns: readonly Column[] = [],
  except?: Layer,
): Layer | undefined {
  const added = stack?.committed === false ? stack.exists?.entries.at(-1)?.layer : undefined
  if (!stack || added) return added === except ? undefined : added
  const { model } = stack.rows.schema
  const cells = columns.flatMap(({ index }) => [index, ...guardsOf(model, index).map((guard) => guard.index)])
  for (const covered of cells.flatMap((cell) => stack.cells.get(cell) ?? [])) {
    const top = covered.entries.at(-1)?.layer
    if (top !== except && !sameSql(covered.top(), covered.committed)) return top
  }
  return undefined
}
