import type { ChangeSet } from './change-set.ts'

/** Whether a ChangeSet changes no row. What cancels itself out is empty only after `squash`. */
export function isEmpty(set: ChangeSet): boolean {
  return set.changes.length === 0
}
