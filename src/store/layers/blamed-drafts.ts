import type { SqlValue } from '../../drivers/index.ts'
import { ValidationError, type ValidationIssue } from '../../errors/index.ts'
import { sameSql } from '../../schema/index.ts'
import type { CellId } from '../rows/cell-id.ts'
import { issuesOf, rowAfter } from './committed-rows.ts'
import { describe } from './reservations.ts'
import type { CellStack, Layer, RowStack } from './row-stack.ts'

/** A write that is refused, and the row as it would be seen after it. */
interface Refused {
  readonly stack: RowStack | undefined
  readonly stored: readonly SqlValue[]
  /** The draft that writes. */
  readonly layer: Layer | undefined
  /** Whether a cell's value is the write's. */
  readonly isWritten: (cell: CellId) => boolean
}

/** What to throw where a write is refused: it names the draft of another by which alone the row is not valid, if one is. */
export function refusedBy(issues: readonly ValidationIssue[], refused: Refused): ValidationError {
  const draft = blamed(refused)
  if (!draft) return new ValidationError(issues)
  const message = `that is so with what ${describe(draft)} has changed: commit or cancel it first`
  return new ValidationError(issues, { draft: { id: draft.id, message } })
}

function blamed({ stack, stored, layer, isWritten }: Refused): Layer | undefined {
  if (!stack) return undefined
  const isValidWithout = (isGone: (one: Layer) => boolean): boolean => {
    const below = [...stack.cells].flatMap(([cell, covered]): [CellId, SqlValue][] =>
      isWritten(cell) || !covered.entries.some((entry) => isGone(entry.layer)) ? [] : [[cell, covered.topBut(isGone)]],
    )
    return below.length > 0 && issuesOf(stack, rowAfter(stack.rows, stack.key, stored, new Map(below))).length === 0
  }
  const others = [...stack.layers()].filter((one) => one !== layer)
  const alone = others.find((other) => isValidWithout((one) => one === other))
  // Only together they make it so.
  return alone ?? (isValidWithout((one) => one !== layer) ? others.at(-1) : undefined)
}

/**
 * What to throw where a row is valid only as it is seen, with what drafts have changed: it names the draft.
 *
 * @param without what the row has in a cell in the state that is judged
 */
export function hiddenBy(
  issues: readonly ValidationIssue[],
  stack: RowStack,
  without: (cell: CellId, covered: CellStack) => SqlValue,
): ValidationError {
  const covering = [...stack.cells].find(([cell, covered]) => !sameSql(covered.top(), without(cell, covered)))
  const draft = covering?.[1].entries.at(-1)?.layer
  if (!draft) return new ValidationError(issues)
  const message = `that is so without what ${describe(draft)} has changed, which hides it: commit or cancel it first`
  return new ValidationError(issues, { draft: { id: draft.id, message } })
}
