import { RowcastError } from '../errors/index.ts'
import type { User } from './access.ts'
import { MAX_AUTHOR } from './author.ts'

/**
 * What jose says where it has judged a token, by code, as more than one copy of it may be about. Its other errors, of a
 * key set that does not come or is broken, say nothing of the token.
 */
const JUDGEMENTS = new Set([
  'ERR_JWT_EXPIRED',
  'ERR_JWT_INVALID',
  'ERR_JWT_CLAIM_VALIDATION_FAILED',
  'ERR_JWS_INVALID',
  'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
  'ERR_JWE_INVALID',
  'ERR_JWE_DECRYPTION_FAILED',
  'ERR_JOSE_ALG_NOT_ALLOWED',
  'ERR_JOSE_NOT_SUPPORTED',
  'ERR_JWKS_NO_MATCHING_KEY',
  'ERR_JWKS_MULTIPLE_MATCHING_KEYS',
  'unauthenticated',
])

/**
 * Who someone is, by what was asked to tell. Throws RowcastError: `unauthenticated` where that has judged and refused, and
 * nothing will change by asking again; `unavailable` where it failed, whatever the token may be worth.
 */
export async function judgeUser(ask: () => User | undefined | Promise<User | undefined>): Promise<User> {
  let user: User | undefined
  try {
    user = await ask()
  } catch (cause) {
    if (JUDGEMENTS.has(String((cause as { code?: unknown } | undefined)?.code)))
      throw new RowcastError('unauthenticated', 'the token is not accepted', { cause })
    throw unavailable(cause)
  }
  if (!user) throw new RowcastError('unauthenticated', 'a token is needed, and the one given is not accepted')
  const { id }: { readonly id: unknown } = user
  if (typeof id !== 'string' || id === '' || id.length > MAX_AUTHOR)
    throw unavailable(
      new RowcastError('options', `authenticate: a user's id must be a text of 1 to ${MAX_AUTHOR} characters`),
    )
  return user
}

/** The error of what could not be judged now. */
export function unavailable(cause: unknown): RowcastError<'unavailable'> {
  return new RowcastError('unavailable', 'who this is and what they may do can not be told now: ask again', { cause })
}
