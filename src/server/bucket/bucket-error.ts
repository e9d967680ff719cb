import { RowcastError } from '../../errors/index.ts'

/** What a bucket refused, or did not answer. */
export class BucketError extends RowcastError<'bucket'> {
  override readonly name: string = 'BucketError'
  /** Of the answer, as HTTP has it; absent where there was none. */
  readonly status: number | undefined

  constructor(message: string, options: { readonly status?: number | undefined; readonly cause?: unknown } = {}) {
    super('bucket', message, 'cause' in options ? { cause: options.cause } : undefined)
    this.status = options.status
  }
}
