import type { SqlValue } from '../../drivers/index.ts'
import type { Column, TableModel } from '../../schema/index.ts'
import type { Engine } from '../engine.ts'
import type { TableRows } from '../rows/table-rows.ts'

/** What a SELECT reads: the columns by table. That rows come and go always matters. Tables not of the schema are not told. */
export type SqlDependencies = ReadonlyMap<TableRows, ReadonlySet<number>>

/** A b-tree of the database: a base table or one of its indexes, with the columns that reading it depends on. */
interface Tree {
  readonly rows: TableRows
  /** `undefined` for the table itself, whose columns are read one by one. */
  readonly indexed: ReadonlySet<number> | undefined
}

/** How many statements' dependencies are kept. */
const MAX_KNOWN = 1_000

const known = new WeakMap<Engine, Map<string, SqlDependencies>>()

/** What a statement reads. Whichever way SQLite takes, it reads the same columns: it is found out once. */
export function sqlDependencies(engine: Engine, sql: string): SqlDependencies {
  let bySql = known.get(engine)
  if (!bySql) known.set(engine, (bySql = new Map<string, SqlDependencies>()))
  let found = bySql.get(sql)
  if (!found) {
    found = explain(engine, sql)
    if (bySql.size >= MAX_KNOWN) bySql.clear()
    bySql.set(sql, found)
  }
  return found
}

/** Finds out from SQLite's own program what a statement reads: the trees that it opens and the columns that it takes. */
function explain(engine: Engine, sql: string): SqlDependencies {
  const trees = treesOf(engine)
  const cursors = new Map<SqlValue, Tree[]>()
  const found = new Map<TableRows, Set<number>>()
  const statement = engine.driver.prepare(`EXPLAIN ${sql}`)
  try {
    const program = statement.all()
    for (const [, opcode, cursor, root, database] of program) {
      if ((opcode !== 'OpenRead' && opcode !== 'ReopenIdx') || database !== 0) continue
      const tree = trees.get(Number(root))
      if (!tree) continue
      const open = cursors.get(cursor!)
      if (open) open.push(tree)
      else cursors.set(cursor!, [tree])
      if (!found.has(tree.rows)) found.set(tree.rows, new Set())
    }
    for (const [, opcode, cursor, column] of program) {
      if (NO_CURSOR.has(String(opcode))) continue
      for (const { rows, indexed } of cursors.get(cursor!) ?? []) {
        const columns = found.get(rows)!
        // Whatever is done with an index goes by its order. Of an unknown instruction it is assumed.
        if (indexed) for (const each of indexed) columns.add(each)
        else if (opcode === 'Column') columns.add(Number(column))
        else if (opcode === 'RowData') for (const each of rows.schema.model.columns) columns.add(each.index)
      }
    }
  } finally {
    statement.finalize()
  }
  return found
}

/**
 * Instructions whose first operand is no cursor, or that read nothing by it: a register's number may be a cursor's.
 * https://sqlite.org/opcode.html
 */
const NO_CURSOR: ReadonlySet<string> = new Set(
  `Add AddImm Affinity AggFinal AggStep AggStep1 AggValue And BeginSubrtn BitAnd BitNot BitOr Blob Cast ClearSubtype Close
  CollSeq Compare Concat Copy Count DecrJumpZero Divide EndCoroutine Eq Explain Function GetSubtype Ge Goto Gosub Gt Halt
  HaltIfNull If IfNot IfNotZero IfPos Init InitCoroutine Int64 Integer IntCopy IsNull IsTrue Jump Le Lt MakeRecord MemMax
  Move Multiply MustBeInt Ne Noop Not NotNull Null OffsetLimit Once OpenRead Or Param Permutation PureFunc Real
  RealAffinity ReleaseReg Remainder ReopenIdx ResultRow Return SCopy SetSubtype ShiftLeft ShiftRight SoftNull String
  String8 Subtract Trace Transaction Variable Yield ZeroOrNull`.split(/\s+/),
)

/** By root page. */
function treesOf(engine: Engine): Map<number, Tree> {
  const byBase = new Map(engine.rows.map((rows) => [rows.schema.model.base, rows]))
  const trees = new Map<number, Tree>()
  const statement = engine.driver.prepare(
    `SELECT type, name, tbl_name, rootpage FROM main.sqlite_schema WHERE rootpage > 0`,
  )
  try {
    for (const [type, name, table, root] of statement.all()) {
      const rows = byBase.get(String(table))
      if (rows)
        trees.set(Number(root), {
          rows,
          indexed: type === 'table' ? undefined : indexedColumns(rows.schema.model, String(name)),
        })
    }
  } finally {
    statement.finalize()
  }
  return trees
}

function indexedColumns(model: TableModel, name: string): ReadonlySet<number> {
  const declared = [...model.unique, ...model.indexes].find((index) => index.name === name)?.columns
  const reference = model.references.find((each) => `${model.name}__reference_${each.name}` === name)?.columns
  const columns = declared ?? reference ?? (name.startsWith('sqlite_autoindex_') ? model.key : model.columns)
  const indexes = new Set<number>()
  for (const column of columns) for (let at: Column | undefined = column; at; at = at.guard) indexes.add(at.index)
  return indexes
}
