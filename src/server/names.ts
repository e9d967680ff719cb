import { RowcastError } from '../errors/index.ts'

const name = /^(?!\.)[A-Za-z0-9._-]{1,128}$/

/** Whether a text may name a database: 1 to 128 characters of `A-Z a-z 0-9 . _ -`, the first of them no dot. */
export function isDatabaseName(text: string): boolean {
  return name.test(text)
}

/** Keeps a name from leading out of the directory. Throws RowcastError (`database-name`). */
export function assertDatabaseName(text: string): void {
  if (isDatabaseName(text)) return
  throw new RowcastError(
    'database-name',
    `${JSON.stringify(text)} is no name for a database: use 1 to 128 characters of A-Z a-z 0-9 . _ - and no dot at the start`,
  )
}

/** Throws RowcastError (`sequence`) for what can't be a sequence number (or 0, the state before the first). */
export function assertSequence(value: number, what: string): void {
  if (Number.isSafeInteger(value) && value >= 0) return
  throw new RowcastError('sequence', `${what} is ${value}: give a whole number from 0 to 2^53 - 1`)
}

/** Throws RowcastError (`log-payload`) for text that no store of UTF-8 gives back as it was. */
export function assertPayloads(payloads: readonly string[], log: string): void {
  const broken = payloads.findIndex((payload) => !payload.isWellFormed())
  if (broken === -1) return
  throw new RowcastError(
    'log-payload',
    `entry ${broken} of the append to the ${log} has a lone surrogate: give well-formed text (JSON.stringify escapes them)`,
  )
}
