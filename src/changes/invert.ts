import type { ChangeSet, RowChange } from './change-set.ts'

/**
 * The ChangeSet that undoes another: both sides swapped, inserts and deletes exchanged, in reverse order. Origin, label
 * and tag stay; `draftId` and `transactionId` don't, since the undoing is another transaction.
 */
export function invert(set: ChangeSet): ChangeSet {
  const { draftId: _draftId, transactionId: _transactionId, ...kept } = set
  return { ...kept, changes: set.changes.map(invertRow).toReversed() }
}

function invertRow(change: RowChange): RowChange {
  return { ...change, op: INVERSE[change.op], before: change.after, after: change.before }
}

const INVERSE: { readonly [Op in RowChange['op']]: RowChange['op'] } = {
  insert: 'delete',
  update: 'update',
  delete: 'insert',
}
