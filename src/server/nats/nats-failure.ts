import { RowcastError } from '../../errors/index.ts'
import { NatsDisconnectedError } from './nats-connection.ts'

/**
 * What a failure says of what was asked: `unsent`, it is certainly not done; `unknown`, it may be; `refused`, the stream did
 * not end where it was expected to, or may not; `missing`, there is no such stream; `never`, it will be the same each time.
 */
export type NatsFailure = 'unsent' | 'unknown' | 'refused' | 'missing' | 'never'

/** By the codes of JetStream's answers. 10164: an append that is not committed yet may go before. */
const answers: Readonly<Record<number, NatsFailure>> = { 10059: 'missing', 10071: 'refused', 10164: 'refused' }

/** By the names of the client's errors: nobody was there who could have done it. */
const failures: Readonly<Record<string, NatsFailure>> = {
  JetStreamNotEnabled: 'unsent',
  NoResponders: 'unsent',
  AuthorizationError: 'never',
  UserAuthenticationExpiredError: 'never',
  PermissionViolationError: 'never',
  InvalidArgumentError: 'never',
}

export function readFailure(error: unknown): NatsFailure {
  if (error instanceof RowcastError) return 'never'
  const { name, cause } = error as Error
  const within = cause instanceof Error ? failures[cause.name] : undefined
  if (error instanceof NatsDisconnectedError) return within ?? (error.isSent ? 'unknown' : 'unsent')
  return failures[name] ?? within ?? answers[codeOf(error) ?? 0] ?? 'unknown'
}

/** That of JetStream's answer; `undefined` where there was none. */
export function codeOf(error: unknown): number | undefined {
  return (error as { readonly code?: number }).code
}
