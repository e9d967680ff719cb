import type { User } from './access.ts'

/** Who did something, as the log and the others are told. Without an `authenticate` nobody is named. */
export interface Author {
  /** The `id` of the user: nobody else can have it. */
  readonly by?: string
  /** What that user is called, for people to read. Anyone may be called anything. */
  readonly name?: string
}

/** Characters of an id, and of a name, which is shortened. */
export const MAX_AUTHOR = 1_000

export function authorOf(user: User | undefined): Author {
  if (!user) return {}
  const name: unknown = user.name
  return { by: user.id, ...(typeof name === 'string' && { name: name.slice(0, MAX_AUTHOR) }) }
}
