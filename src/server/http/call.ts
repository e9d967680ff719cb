import { nameOf, type User } from '../access.ts'
import type { ServerCore } from '../create-server.ts'
import type { Lease } from '../databases.ts'
import type { LiveDatabase } from '../live-database.ts'
import type { ExportFiles } from './export-files.ts'

/** What the calls share. */
export interface CallContext {
  readonly core: ServerCore
  readonly files: ExportFiles
  /** The longest file that is taken, in bytes. */
  readonly importBytes: number
}

/** One call of a known user. */
export interface Call extends CallContext {
  readonly request: Request
  readonly url: URL
  readonly user: User | undefined
  /** Of the path, and a name that a database may have. `''` for a call that is about no database. */
  readonly name: string
}

/** Answers a call. What it throws becomes the answer. */
export type Answer = (call: Call) => Promise<Response>

/** Who did it, as the log says. */
export function authorOf({ user }: Call): string | undefined {
  return nameOf(user)
}

/** Runs something on the call's database, which stays open meanwhile. Throws UnknownDatabaseError. */
export async function withDatabase<Result>(
  { core, name }: Call,
  task: (database: LiveDatabase) => Promise<Result>,
): Promise<Result> {
  return withLease(await core.databases.use(name), task)
}

/** Runs something on a database that is open, and ends that use of it. */
export async function withLease<Result>(
  lease: Lease,
  task: (database: LiveDatabase) => Promise<Result>,
): Promise<Result> {
  try {
    return await task(lease.database)
  } finally {
    lease.release()
  }
}
