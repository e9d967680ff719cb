/** One transaction of a database's log. */
export interface LogEntry {
  /** From 1, without gaps. */
  readonly sequence: number
  /** What was appended. */
  readonly payload: string
}

/**
 * The log of one database: what has been confirmed, in order. It is the truth; a state is what replaying it gives.
 * Implementations lie on a file or on a replicated stream, and keep one contract (one suite tests it).
 */
export interface Log {
  /** The first and the last entry that are kept; `first` is `last + 1` where there are none. */
  bounds(): Promise<{ readonly first: number; readonly last: number }>
  /**
   * Appends entries as `expected + 1` and on, all of them or none, durable once it resolves.
   * Throws `LogConflictError` where the last entry is not `expected`: nothing was appended. With the digest of the history
   * up to `expected` (`digestOf` of that entry) also `LogPartedError`, where the log is known to have another one.
   * Throws `LogUncertainError` where it can't be known whether they were appended: read the log to find out.
   */
  append(payloads: readonly string[], expected: number, digest?: string): Promise<void>
  /** Entries from a sequence number on, in order, as far as the log goes now. Throws NotFoundError where `from` is trimmed away. */
  read(from: number, limit?: number): AsyncIterable<LogEntry>
  /**
   * What the entries between two sequence numbers, both included, take as UTF-8; those that aren't there take nothing.
   * What an implementation needs beside their text is not counted.
   */
  bytes(from: number, to: number): Promise<number>
  /** Drops the entries before a sequence number. The last one's number is never forgotten. */
  trim(before: number): Promise<void>
  close(): Promise<void>
  /**
   * Sees that this server still looks after the log, where others may: resolves once that is known as of a second ago at
   * most, with the number of the last entry. Throws LogMovedError where another one does. Absent where no other may.
   */
  prove?(): Promise<number>
}

/** Which of the servers that share logs looks after a database. */
export interface Placement {
  /** Names this server, another one each time that it starts; `undefined` once it leaves. */
  readonly node: string | undefined
  /**
   * Which server looks after a database; `undefined` where that is this one, or has become it by this call. Throws
   * RowcastError where nobody can tell.
   */
  elsewhere(database: string, asked?: AskedPlace): Promise<OtherServer | undefined>
  /** From now on tells of databases that this server looks after no more, and where the next one is reached, if it is known. */
  watch(watcher: LostWatcher): void
  /** Gives up all that this server looks after, so that others have it at once. */
  leave(): Promise<void>
}

/** A server that looks after a database. */
export interface OtherServer {
  /** Where it is reached. */
  readonly url: string
  /** Aborted once it is found dead, or no longer the one: what waits for it waits in vain. */
  readonly gone: AbortSignal
}

export type LostWatcher = (isLost: (database: string) => boolean, url: string | undefined) => void

export interface AskedPlace {
  /** Another server has sent someone here: it is not sent on but to one that certainly looks after the database. */
  readonly isSent?: boolean
  /** What is known is not good enough: the server that was told before would not have it. */
  readonly isStale?: boolean
}

/** Where logs lie, by the name of their database. */
export interface LogStorage {
  /**
   * Opens a database's log. Throws NotFoundError where there is none and it isn't to be created. With `start` a new log
   * begins after that sequence number.
   */
  open(database: string, options?: { readonly create?: boolean; readonly start?: number }): Promise<Log>
  /** The names of the databases that have a log, sorted. */
  list(): Promise<readonly string[]>
  /** Deletes a log that is not open. Does nothing where there is none. */
  delete(database: string): Promise<void>
  /** Sees that it can be used, which a first use does otherwise. Throws RowcastError where it can't. */
  ready?(): Promise<unknown>
  /** Where several servers share the logs, and each database has one of them. */
  readonly placement?: Placement | undefined
  /** Frees what it holds, once no log of it is open. */
  close?(): Promise<void>
}
