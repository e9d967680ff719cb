import { RowcastError } from '../../errors/index.ts'

/** A regular expression that can't be matched in linear time. */
export class PatternError extends RowcastError<'pattern'> {
  override readonly name: string = 'PatternError'
  constructor(message: string, options?: { cause?: unknown }) {
    super('pattern', message, options)
  }
}
