import { LogConflictError, LogPartedError } from './log-errors.ts'

/** What an append goes by. */
export interface AppendTo {
  /** For messages. */
  readonly log: string
  readonly expected: number
  /** Of the history up to `expected`, where the one who appends tells it. */
  readonly digest: string | undefined
  /** The last entry that there is. */
  readonly last: number
}

/**
 * Whether entries may be appended. Throws LogPartedError where the log is known to have another history than the one who
 * appends, and LogConflictError where it goes on.
 *
 * @param digestAt that of an entry; `undefined` where it is not there any more
 */
export function assertAppend(
  { log, expected, digest, last }: AppendTo,
  digestAt: (sequence: number) => string | undefined,
): void {
  const isParted = digest !== undefined && (expected > last || (digestAt(expected) ?? digest) !== digest)
  if (isParted) throw new LogPartedError(log, expected)
  if (last !== expected) throw new LogConflictError(log, expected, last)
}
