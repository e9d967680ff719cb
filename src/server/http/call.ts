import type { User } from '../access.ts'
import type { ServerCore } from '../create-server.ts'
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

/** Runs something on the call's database, which stays open meanwhile. Throws UnknownDatabaseError. */
export async function withDatabase<Result>(
  { core, name }: Call,
  task: (database: LiveDatabase) => Promise<Result>,
): Promise<Result> {
  const lease = await core.databases.use(name)
  try {
    return await task(lease.database)
  } finally {
    lease.release()
  }
}
