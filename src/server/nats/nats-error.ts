import { RowcastError } from '../../errors/index.ts'

/** What a NATS server refused, or did not answer. */
export class NatsError extends RowcastError<'nats'> {
  override readonly name: string = 'NatsError'

  constructor(message: string, options?: { readonly cause?: unknown }) {
    super('nats', message, options)
  }
}
