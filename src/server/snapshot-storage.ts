/** A state of a database that was put aside. */
export interface SnapshotInfo {
  /** The sequence number that it is the state at. */
  readonly sequence: number
  readonly label?: string
  /** Of the log up to it: one with another digest than the log has there is of another history. */
  readonly digest?: string
  /** When it was made, in milliseconds since 1970. */
  readonly at: number
  /** Bytes. */
  readonly size: number
}

/** What is said of a snapshot as it is put aside. */
export interface NewSnapshot {
  readonly sequence: number
  readonly label?: string | undefined
  readonly digest?: string | undefined
  readonly at: number
}

/** A snapshot as it is told of, of so many bytes: what was not said of it is not there. */
export function snapshotInfo({ sequence, label, digest, at }: NewSnapshot, size: number): SnapshotInfo {
  return {
    sequence,
    ...(label === undefined ? {} : { label }),
    ...(digest === undefined ? {} : { digest }),
    at,
    size,
  }
}

/** Where snapshots lie: `.db` files by database and sequence number. One contract, which one suite tests. */
export interface SnapshotStorage {
  /** Keeps a snapshot, whole and durable once it resolves. Replaces one of the same sequence number. */
  put(database: string, snapshot: NewSnapshot, bytes: Uint8Array): Promise<void>
  /** The bytes of a snapshot, which are the caller's from then on; `undefined` where there is none. */
  get(database: string, sequence: number): Promise<Uint8Array | undefined>
  /** The snapshots of a database, oldest first. One that was torn by a crash is not there. */
  list(database: string): Promise<readonly SnapshotInfo[]>
  /** Deletes one snapshot, or all of a database. Does nothing where there is none. */
  delete(database: string, sequence?: number): Promise<void>
}
