/** A value of a cell: JSON, binary, a 64-bit integer, or `undefined` where the property is absent. */
export type CellValue =
  | string
  | number
  | boolean
  | bigint
  | null
  | undefined
  | Uint8Array
  | readonly CellValue[]
  | { readonly [key: string]: CellValue }

/** A primary key: one value, or an array of them in the order of the table's `primaryKey`. */
export type Key = string | number | bigint | boolean | readonly (string | number | bigint | boolean)[]

/** The cells of one side of a change, by property path (`text.font.size`). An absent property has no entry. */
export type Cells = { readonly [path: string]: CellValue }

/** What became of one row. */
export interface RowChange {
  readonly table: string
  readonly key: Key
  readonly op: 'insert' | 'update' | 'delete'
  /**
   * The changed cells before: `{}` for an insert, every stored cell for a delete. For an update `before` and `after`
   * have the same paths and the values that a reader sees, defaults included; `undefined` is "absent".
   */
  readonly before: Cells
  /** The changed cells after: every stored cell (what differs from its default) for an insert, `{}` for a delete. */
  readonly after: Cells
}

/** Who caused a ChangeSet. */
export type Origin = 'local' | 'remote' | 'undo' | 'redo' | 'cancel' | 'rebase' | 'import'

/** An ordered list of row changes that happen at once: the one currency of rowcast. */
export interface ChangeSet {
  readonly changes: readonly RowChange[]
  readonly origin: Origin
  readonly label?: string
  readonly tag?: unknown
  readonly draftId?: string
  readonly transactionId?: string
}
