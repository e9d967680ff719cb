import type { Observable } from 'rxjs'
import type { StoreSync } from './sync-api.ts'
import type { CellValue, ChangeSet, RowChange } from '../changes/index.ts'
import type { RowcastError } from '../errors/index.ts'
import type {
  CheckPathOf,
  InputOf,
  InsertOf,
  KeyOf,
  OrderByOf,
  PatchOf,
  PathOf,
  RowOf,
  Schema,
  SchemaInput,
  SingletonName,
  TableName,
  ValueOf,
  WhereOf,
} from '../schema/index.ts'

/** A SQL statement with its parameters, in the order of its `?`: what the `sql` tag and query builders give. */
export interface SqlQuery {
  readonly sql: string
  readonly parameters?: readonly unknown[] | undefined
  /** The same under the name that Drizzle's `toSQL()` gives them; `parameters` go first. */
  readonly params?: readonly unknown[] | undefined
}

/** A row of a SQL query, by column name, in SQLite's own values: booleans are 0 and 1, JSON is text. */
export type SqlRow = { readonly [column: string]: null | number | bigint | string | Uint8Array }

/** What rows to find, and in which order. Without an order: by primary key. */
export interface FindOptions<S extends SchemaInput, T extends keyof S['tables']> {
  readonly where?: WhereOf<S, T> | undefined
  readonly orderBy?: OrderByOf<S, T> | undefined
  /** How many rows at most. */
  readonly limit?: number | undefined
  /** How many rows of the result to leave out first. */
  readonly offset?: number | undefined
}

/** The changes of one table in one transaction. */
export interface TableChange {
  readonly inserted: readonly RowChange[]
  readonly updated: readonly RowChange[]
  readonly deleted: readonly RowChange[]
}

/**
 * What became of a live query's result. Replayed on the old rows it gives the new ones: take out `removed` and `moved`
 * (by their old positions), put `moved` and `added` in at their new positions, then set `changed`.
 */
export interface LiveDiff<Row> {
  readonly added: readonly { readonly row: Row; readonly index: number }[]
  readonly removed: readonly { readonly row: Row; readonly index: number }[]
  readonly moved: readonly { readonly row: Row; readonly from: number; readonly to: number }[]
  /** Rows whose contents changed, at their new positions. A row that moved and changed is in both. */
  readonly changed: readonly { readonly before: Row; readonly row: Row; readonly index: number }[]
}

/** A query whose result is kept up to date while anyone is subscribed. It holds nothing while nobody is. */
export interface LiveQuery<Row> {
  /** The result now. The same array while the result is the same; unchanged rows are the same objects. */
  readonly rows: readonly Row[]
  /** The result now, then each new one, once per transaction at most. */
  readonly rows$: Observable<readonly Row[]>
  readonly diff$: Observable<LiveDiff<Row>>
  /** Completes the streams. Reading `rows` afterwards throws StoreClosedError. */
  close(): void
}

/** A `where` as a test of rows, with the paths that it reads: nothing else in a row can change its answer. */
export interface RowPredicate {
  readonly test: (row: object) => boolean
  readonly paths: ReadonlySet<string>
}

/**
 * A row or a list of rows, whichever is given. Of two overloads the compiler would tell about the last, which may be the
 * other one, and it looks for properties that aren't there only in what holds no type parameter.
 */
export type OneOrMore<Given, Row> = Given extends readonly unknown[]
  ? readonly Row[]
  : Given extends unknown
    ? Row
    : Given

/** The key of a row that is given, or the keys of a list. */
export type KeysOf<Given, Key> = Given extends readonly unknown[] ? Key[] : Key

/** One table, with the writes of a store or of a draft. */
export interface Table<S extends SchemaInput, T extends TableName<S>> {
  readonly name: T
  /** The row under a key. Deep-frozen; the same object until that row changes, with its unchanged parts kept then. */
  get(key: KeyOf<S, T>): RowOf<S, T> | undefined
  has(key: KeyOf<S, T>): boolean
  /** Every key, in order. */
  keys(): KeyOf<S, T>[]
  /** Every row, by primary key. */
  all(): RowOf<S, T>[]
  count(where?: WhereOf<S, T>): number
  /** The count: now, then whenever it is another. Kept up to date from the changes. Throws as `find` does. */
  count$(where?: WhereOf<S, T>): Observable<number>
  /** A filter as a test of row objects, the same as in SQL. Throws FilterError and NotFoundError. */
  predicate(where: WhereOf<S, T>): RowPredicate
  find(options?: FindOptions<S, T>): RowOf<S, T>[]
  live(options?: FindOptions<S, T>): LiveQuery<RowOf<S, T>>
  /** Inserts and returns the key, or the keys. Throws ValidationError or ConstraintError; then nothing is inserted. */
  insert<Given>(rows: OneOrMore<Given, InsertOf<S, T>>): KeysOf<Given, KeyOf<S, T>>
  /** Inserts, or makes the row under this key exactly what is given. */
  upsert<Given>(rows: OneOrMore<Given, InsertOf<S, T>>): KeysOf<Given, KeyOf<S, T>>
  /** A deep partial row (what is not named stays, `undefined` removes), or an Immer recipe. Throws NotFoundError. */
  update(key: KeyOf<S, T>, change: PatchOf<S, T> | Recipe<RowOf<S, T>>): void
  /** The same for many rows, in one transaction. Returns how many. */
  updateMany(rows: readonly KeyOf<S, T>[] | WhereOf<S, T>, change: PatchOf<S, T> | Recipe<RowOf<S, T>>): number
  set<const P extends PathOf<S, T>>(key: KeyOf<S, T>, path: P & CheckPathOf<S, T, P>, value: InputOf<S, T, P>): void
  /** Puts a property, or all of them, back to the schema's default. */
  reset<const P extends PathOf<S, T>>(key: KeyOf<S, T>, path?: P & CheckPathOf<S, T, P>): void
  /** Deletes rows, with what the schema's references say. Returns how many were there. */
  delete(rows: KeyOf<S, T> | readonly KeyOf<S, T>[] | { readonly where: WhereOf<S, T> }): number
  /** The row now, then at each change of it; `undefined` while there is none. */
  row$(key: KeyOf<S, T>): Observable<RowOf<S, T> | undefined>
  /** The value at a path now, then whenever it has changed. */
  field$<const P extends PathOf<S, T>>(
    key: KeyOf<S, T>,
    path: P & CheckPathOf<S, T, P>,
  ): Observable<ValueOf<S, T, P> | undefined>
  readonly changes$: Observable<TableChange>
}

/** A row to be changed in place. */
export type Mutable<Value> = Value extends Uint8Array | string | number | bigint | boolean | null | undefined
  ? Value
  : Value extends (...args: never[]) => unknown
    ? Value
    : { -readonly [Member in keyof Value]: Mutable<Value[Member]> }

/** Changes a draft of a row in place (Immer), or returns a new one. */
export type Recipe<Row> = (draft: Mutable<Row>) => void | Mutable<Row> | Row

/** A table of one row without a key. */
export interface SingletonValue<S extends SchemaInput, T extends SingletonName<S>> {
  readonly name: T
  /** The value; `undefined` only where the schema requires properties that nobody has given yet. */
  get(): RowOf<S, T> | undefined
  set<const P extends PathOf<S, T>>(path: P & CheckPathOf<S, T, P>, value: InputOf<S, T, P>): void
  update(change: PatchOf<S, T> | Recipe<RowOf<S, T>>): void
  reset<const P extends PathOf<S, T>>(path?: P & CheckPathOf<S, T, P>): void
  readonly value$: Observable<RowOf<S, T> | undefined>
  field$<const P extends PathOf<S, T>>(path: P & CheckPathOf<S, T, P>): Observable<ValueOf<S, T, P> | undefined>
}

/** A transaction that is running. */
export interface Transaction {
  /** Runs once, after the outermost transaction has committed. */
  onCommit(run: () => void): void
  /** Runs once, after what this transaction did has been undone. */
  onRollback(run: () => void): void
}

export interface TransactionOptions {
  /** What the user did, for the history: "Move 3 annotations". */
  readonly label?: string
  /** Anything, carried along in the ChangeSet. */
  readonly tag?: unknown
}

/** No promise: a transaction holds the database, and ends when its function returns. */
export type Sync<Result> = Result extends PromiseLike<unknown> ? never : Result

/** What a store and a draft have in common: reading, and writing in one's own name. */
export interface Workspace<S extends SchemaInput> {
  table<T extends TableName<S>>(name: T): Table<S, T>
  /** A singleton of the schema. */
  value<T extends SingletonName<S>>(name: T): SingletonValue<S, T>
  /** The rows of a SELECT. Throws SqlError for anything else. */
  query<Row = SqlRow>(query: SqlQuery): Row[]
  /** A SELECT that is run again when something that it reads has changed. */
  live<Row = SqlRow>(query: SqlQuery): LiveQuery<Row>
  /**
   * Runs one INSERT, REPLACE, UPDATE or DELETE. It is validated, captured and undone like any other write. `changes`
   * counts the rows that differ afterwards, `rows` are those of RETURNING.
   */
  exec(query: SqlQuery): { readonly changes: number; readonly rows: SqlRow[] }
  /**
   * Runs writes as one: all of them, or none if `fn` throws. Nested, it is a savepoint. Synchronous: throws
   * TransactionError for a function that returns a promise, and undoes what it did.
   */
  transaction<Result>(fn: (tx: Transaction) => Sync<Result>, options?: TransactionOptions): Result
}

/** What a commit came to. */
export interface Commit {
  readonly id: string
  /** The net change. */
  readonly changes: ChangeSet
  /** Resolves once the server has confirmed it; at once without one. Rejects with RejectedError where it refuses it, and with
   * SyncEndedError where it has ended the sync for good: it stays pending then. */
  readonly confirmed: Promise<void>
}

/** A cell, by its place. `''` is the row's existence. */
export interface CellPlace {
  readonly table: string
  readonly key: unknown
  readonly path: string
}

/** A cell of a draft that someone else changed. */
export interface Conflict extends CellPlace {
  /** The draft's own value, `undefined` for absent or the default. */
  readonly mine: CellValue
  readonly theirs: CellValue
}

/** Edits that everyone sees at once, and that are committed together or cancelled. */
export interface Draft<S extends SchemaInput> extends Workspace<S> {
  readonly id: string
  readonly label: string | undefined
  readonly state: 'open' | 'committed' | 'cancelled'
  /** The net change so far, against what is committed. */
  changes(): ChangeSet
  readonly isDirty: boolean
  readonly isDirty$: Observable<boolean>
  /** Makes the edits permanent. Throws ValidationError or ConstraintError; the draft is still open then. */
  commit(options?: {
    /** Instead of the draft's own label. */
    readonly label?: string | undefined
    /**
     * Refused where someone has changed one of its cells meanwhile: RejectedError is thrown for what is known here (see
     * `conflicts$`), and `confirmed` rejects with it for what the server knows.
     */
    readonly ifUnchanged?: boolean | undefined
  }): Commit
  /** Each cell falls back to what lies below it now. Never fails. */
  cancel(): void
  /** Cells that someone else changed underneath, until they are kept or taken. */
  readonly conflicts$: Observable<readonly Conflict[]>
  /** Keeps one's own value of a cell. */
  keep(cell: CellPlace): void
  /** Takes the other's value of a cell. */
  take(cell: CellPlace): void
}

/** A step of the history. */
export interface HistoryStep {
  readonly id: number
  readonly label: string | undefined
  readonly changes: ChangeSet
  /** When it was committed, in milliseconds since 1970. */
  readonly at: number
}

/** A step that could not be undone, or done again: it is on neither list any more. */
export interface SkippedStep {
  readonly step: HistoryStep
  /** What was asked for. */
  readonly action: 'undo' | 'redo'
  /**
   * Why it can't be: a ConstraintError (its parent is gone, its unique value taken, a row of someone else's refers to what
   * it would take away), a ValidationError, a RejectedError of the server, or one with the code `conflict` where others have
   * changed all of it since.
   */
  readonly reason: RowcastError
}

/** Undo and redo, one step per committed transaction or draft. */
export interface History {
  /**
   * Undoes the last step, and returns it. Its rows stand or fall together; only cells that someone else has changed since,
   * and rows that someone else has deleted, are left alone. A step that can't be undone so is set aside: nothing changes,
   * `undefined` is returned, `skipped$` says why, and the next call is the step below. Throws TransactionError within a
   * transaction and ReadOnlyError.
   */
  undo(): HistoryStep | undefined
  /** Does again the step that was undone last, in the same way. */
  redo(): HistoryStep | undefined
  readonly canUndo: boolean
  readonly canRedo: boolean
  readonly canUndo$: Observable<boolean>
  readonly canRedo$: Observable<boolean>
  /** The steps done, oldest first, and the steps undone, the next to redo first. */
  readonly steps$: Observable<{ readonly done: readonly HistoryStep[]; readonly undone: readonly HistoryStep[] }>
  /**
   * The steps that were set aside, newest last, as many as the limit of the history. One that only an open draft stood in
   * the way of goes back to its place when that draft ends.
   */
  readonly skipped$: Observable<readonly SkippedStep[]>
  /** Forgets all steps, also those set aside. */
  clear(): void
}

/** What a database is. */
export interface SnapshotInfo {
  readonly schemaVersion: number
  /** The server's sequence number; 0 without a server. */
  readonly sequence: number
}

/** A project's state: one SQLite database, validated, observed. */
export interface Store<S extends SchemaInput = SchemaInput> extends Workspace<S> {
  readonly schema: Schema<S>
  /**
   * Like `transaction` without `confirm`, but it shows only once the server has confirmed it. Where what it has read or
   * written was changed meanwhile it runs again on the newest state, `retries` times at most. Rejects with RejectedError,
   * with SyncEndedError where the server has ended the sync for good, and with TransactionError where it has read or written what an open draft holds.
   */
  transaction<Result>(
    fn: (tx: Transaction) => Sync<Result>,
    options: TransactionOptions & {
      readonly confirm: 'server'
      /** How often to run it again after a conflict; 0 if not given. */
      readonly retries?: number
    },
  ): Promise<Result>
  transaction<Result>(fn: (tx: Transaction) => Sync<Result>, options?: TransactionOptions): Result
  /**
   * Resolves once all that was committed is kept, where the store has a persistence; at once without one. Rejects with
   * PersistenceError where it can't be: it is tried again with the next commit, or the next call of this.
   */
  saved(): Promise<void>
  /** The connection to the server. Without one its `status$` says `closed`. */
  readonly sync: StoreSync
  /** The names of all tables, singletons included. */
  readonly tables: readonly (keyof S['tables'] & string)[]
  readonly readOnly: boolean
  draft(options?: { readonly label?: string | undefined }): Draft<S>
  readonly history: History
  /** All that becomes visible: one ChangeSet per transaction, draft step, cancel, arrival. */
  readonly changes$: Observable<ChangeSet>
  /** What is committed here, net: one per transaction or committed draft. */
  readonly commits$: Observable<ChangeSet>
  /** Attaches another `.db` file, read-only, to be joined in queries: `select … from name.table`. */
  attach(name: string, bytes: Uint8Array | ArrayBuffer): void
  /**
   * A `.db` file of the committed state, without open drafts: what SQL shows of it and nothing else, also where it is
   * searched byte by byte. It is written anew for that, which takes some 20 ms per MB.
   */
  export(): Uint8Array<ArrayBuffer>
  /** Makes the state that of a file. One ChangeSet tells what differs. */
  import(bytes: Uint8Array | ArrayBuffer): void
  readonly snapshotInfo: SnapshotInfo
  readonly closed: boolean
  /** Ends every stream. Later calls throw StoreClosedError. */
  close(): Promise<void>
}
