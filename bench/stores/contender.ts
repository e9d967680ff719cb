import type { BenchRow, Leaf } from '../support/annotations.ts'
import type { Notes } from './notes.ts'

/** Waited for only where it is a promise: what is synchronous is not slowed down by a microtask. */
export type Maybe<T> = T | Promise<T>

/** Ends a subscription. */
export type Stop = () => Maybe<void>

export interface Smaller {
  readonly why: string
  readonly [size: string]: number | string
}

/** A store that is measured. The rows and their leaves are those of `support/annotations.ts`. */
export interface Contender {
  readonly name: string
  /** Whether it validates what it is given by a schema. */
  readonly validates: boolean
  /** Why it takes no part in a work, by the work's name; the others it must be able to do. */
  readonly leftOut?: Readonly<Record<string, string>> | undefined
  /** Sizes of a work that would take it minutes, by the work's name; what is not named stays. */
  readonly smaller?: Readonly<Record<string, Smaller>> | undefined
  /** An empty store, with what the work of this name needs (an index, say). */
  open(work?: string): Promise<World>
  /** A store with what `World.export` gave, where there is such a thing. */
  openFile?(bytes: Uint8Array, work?: string): Promise<World>
  /** An empty store of notes in folders. */
  openNotes?(work: string): Promise<Notes>
}

/** An open store. What its documentation recommends for each of these is what is used. */
export interface World {
  insert(rows: readonly BenchRow[]): Maybe<void>
  /** Sets the leaf `moved` of one row; subscribers have been told once it returns (or its promise has resolved). */
  set(id: string, value: number): Maybe<void>
  /** The same leaf of many rows in one transaction, where there is such a thing. */
  setMany(ids: readonly string[], value: number): Maybe<void>
  /** Reads one row as a whole. */
  row(id: string): unknown
  /** The leaf `moved` of one row, for the check that all contenders end in the same state. */
  value(id: string): Maybe<number>
  count(): Maybe<number>
  /** Told of the leaf's new value, and only of that. */
  onField(id: string, hear: (value: number) => void): Maybe<Stop>
  /** Told of each change of a row, with the row. */
  onRow(id: string, hear: (row: unknown) => void): Maybe<Stop>
  /** Told of each change of the table. */
  onTable(hear: () => void): Maybe<Stop>
  /** A live query; `hear` gets the ids now and after each change. */
  onQuery(query: Query, hear: (ids: readonly string[]) => void): Maybe<Stop>
  /** Edits that show at once and are kept or put back together; undefined where the store has nothing of the kind. */
  draft?(): Draft
  /** Validates by the schema what it does not validate itself; throws at a row that is not valid. */
  validate?(rows: readonly BenchRow[]): void
  /** Arrays of `moved` for a renderer, kept up to date: `take` gives how many rows have changed since the last time. */
  mirror?(): { readonly take: () => number; readonly stop: Stop }
  export?(): Uint8Array
  close(): Maybe<void>
}

/** The rows whose leaf `where` is within `from` to `to`, by the leaf `by` descending, then by id; the first `limit`. */
export interface Query {
  readonly where: Leaf
  readonly from: number
  readonly to: number
  readonly by: Leaf
  readonly limit: number
}

export interface Draft {
  set(id: string, value: number): void
  commit(): Maybe<void>
  cancel(): Maybe<void>
}
