import { fromBase64 } from '../../changes/index.ts'
import { RowcastError } from '../../errors/index.ts'
import type { TokenSource } from '../transport.ts'

/** Whose a copy is: the user's id, as the server has said it, and how the application named them. */
export interface Owner {
  /** Absent until the server has said it. */
  readonly user?: string
  /** The option `user`, the `sub` of a JSON Web Token, or the hash of another token. */
  readonly as?: string
}

const HASH = 'hash:'

/** Whether two can be the same, as far as they say: what nobody has named may be anybody's. */
export function canBeSame(a: Owner, b: Owner): boolean {
  if (a.user !== undefined && b.user !== undefined) return a.user === b.user
  const [left, right] = [a, b].map(({ user, as }) => [user, as].filter((name) => name !== undefined))
  return left!.length === 0 || right!.length === 0 || left!.some((name) => right!.includes(name))
}

/** What both say, the second first. */
export function joined(before: Owner, { user = before.user, as = before.as }: Owner): Owner {
  return { ...(user !== undefined && { user }), ...(as !== undefined && { as }) }
}

/**
 * Who opens a copy, before any server is reached. Rejects with code `other-user` where it is somebody else's. A token that
 * can't be had now says nothing: then the server does, before anything is sent.
 *
 * @param owner of the copy; `undefined` where it is nobody's yet
 */
export async function assertOwner(
  owner: Owner | undefined,
  given: { readonly user: string | undefined; readonly token: TokenSource | undefined; readonly database: string },
): Promise<Owner> {
  const { user, token, database } = given
  if (user !== undefined || typeof token !== 'function' || !owner) {
    const as = user ?? (typeof token === 'string' ? nameInToken(token) : undefined)
    // Without a token one is nobody, and no user of before.
    const isNobody = as === undefined && token === undefined && owner?.as !== undefined
    if (owner && (isNobody || (as !== undefined && !canBeSame(owner, { as })))) throw otherUser(database, as)
    return joined(owner ?? {}, as === undefined ? {} : { as })
  }
  const found = await askFor(token)
  if (found === undefined) return owner
  const as = nameInToken(found)
  if (!canBeSame(owner, { as })) throw otherUser(database, as)
  return joined(owner, { as })
}

/** How a token names its user: by its `sub`, without a look at its signature; one that is opaque by its hash. */
export function nameInToken(token: string): string {
  return subjectOf(token) ?? `${HASH}${hashOf(token)}`
}

/** What is thrown, and told, to who is not the one whose copy it is. */
export function otherUser(database: string, as?: string): RowcastError<'other-user'> {
  const hint = as?.startsWith(HASH)
    ? ' (a token that says no user is known by itself alone: give `sync.user` as well)'
    : ''
  return new RowcastError(
    'other-user',
    `what is kept here of database '${database}' is another user's${hint}: keep each user's under a name of its own, or remove it with forget(persistence) of rowcast/persist`,
  )
}

async function askFor(token: () => string | Promise<string>): Promise<string | undefined> {
  try {
    return await token()
  } catch {
    // Offline, as a rule. It is asked for again, and heard of, when there is a connection.
    return undefined
  }
}

function subjectOf(token: string): string | undefined {
  const parts = token.split('.')
  if (parts.length !== 3) return undefined
  try {
    const bytes = fromBase64(parts[1]!.replaceAll('-', '+').replaceAll('_', '/'))
    const claims: unknown = JSON.parse(new TextDecoder().decode(bytes))
    const subject: unknown = typeof claims === 'object' && claims !== null ? Reflect.get(claims, 'sub') : undefined
    return typeof subject === 'string' && subject !== '' ? subject : undefined
  } catch {
    // Not one of JSON: an opaque one that has two dots.
    return undefined
  }
}

/** Tells tokens apart, and says nothing of them: FNV-1a of 32 bits, with the length (draft-eastlake-fnv). */
function hashOf(text: string): string {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return `${text.length}-${(hash >>> 0).toString(16)}`
}
