import { RowcastError } from '../errors/index.ts'

/** An append that expected another last entry than the log has: someone else has appended. Nothing was appended. */
export class LogConflictError extends RowcastError<'log-conflict'> {
  override readonly name: string = 'LogConflictError'
  /** The sequence number that the append expected to follow. */
  readonly expected: number
  /** The last sequence number of the log. */
  readonly last: number

  constructor(log: string, expected: number, last: number) {
    super(
      'log-conflict',
      `the ${log} ends at ${last}, the append was to follow ${expected}: read what was appended meanwhile, decide again and append after it`,
    )
    this.expected = expected
    this.last = last
  }
}

/** A log that has another history than what was read of it before. */
export class LogPartedError extends RowcastError<'log'> {
  override readonly name: string = 'LogPartedError'
  readonly log: string
  /** The entry that it was read up to. */
  readonly sequence: number

  constructor(log: string, sequence: number, options?: { cause?: unknown }) {
    super(
      'log',
      `the ${log} does not go on from entry ${sequence} as it was before (it was put back, or two servers have written to two copies of it): restore log and snapshots from one backup`,
      options,
    )
    this.log = log
    this.sequence = sequence
  }
}

/** An append of which nobody knows yet whether it took effect. Reading the log tells. */
export class LogUncertainError extends RowcastError<'log-uncertain'> {
  override readonly name: string = 'LogUncertainError'
  constructor(log: string, options?: { cause?: unknown }) {
    const { cause } = options ?? {}
    const reason = cause instanceof Error ? ` (${cause.message})` : ''
    super(
      'log-uncertain',
      `the ${log} could not confirm an append${reason}: read the log from the expected number on to see whether it is there`,
      options,
    )
  }
}

/** A log that another server looks after by now. Nothing was appended. */
export class LogMovedError extends RowcastError<'moved'> {
  override readonly name: string = 'LogMovedError'
  readonly log: string
  /** Where that server is, if it says so. */
  readonly url: string | undefined

  constructor(log: string, url: string | undefined, options?: { cause?: unknown }) {
    super(
      'moved',
      `the ${log} is looked after by another server${url === undefined ? '' : `, ${url}`}: ask there`,
      options,
    )
    this.log = log
    this.url = url
  }
}
