import { RowcastError } from '../errors/index.ts'

/** A database of this name can't be made: there is one. */
export function existsError(name: string): RowcastError<'exists'> {
  return new RowcastError('exists', `there is a database '${name}' already`)
}
