import type { User } from '../access.ts'
import type { ServerCore } from '../create-server.ts'
import type { Lease } from '../databases.ts'
import type { LiveDatabase } from '../live-database.ts'
import type { Made, RelayOptions } from '../relay/index.ts'
import { RequestError } from './error-response.ts'
import type { ExportFiles } from './export-files.ts'

/** What the calls share. */
export interface CallContext {
  readonly core: ServerCore
  readonly files: ExportFiles
  /** The longest file that is taken, in bytes. */
  readonly importBytes: number
  /** Where other servers have some of the databases. */
  readonly relay: RelayOptions | undefined
}

/** One call of a known user. */
export interface Call extends CallContext {
  readonly request: Request
  readonly url: URL
  readonly user: User | undefined
  /** Takes what comes of the body from the user's budget, until the call is answered. Throws RequestError (429). */
  readonly hold: (bytes: number) => void
  /** Of the path, and a name that a database may have. `''` for a call that is about no database. */
  readonly name: string
  /** What another server of these databases says of the body. */
  readonly made: Made | undefined
}

/** Answers a call. What it throws becomes the answer. */
export type Answer = (call: Call) => Promise<Response>

/** Answers that there is too much at once. */
export function flood(what: string): RequestError {
  return new RequestError(429, 'flood', `${what}: send it later`, { 'retry-after': '1' })
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
