/** A cell of a row: the index of its column, or the path of an undeclared property. Values are as SQLite stores them. */
export type CellId = number | string
