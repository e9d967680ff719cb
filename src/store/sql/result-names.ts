import { SqlError } from '../../errors/index.ts'

/** Throws SqlError where two columns of a result share a name: an object would lose one of them. */
export function assertNamesDiffer(columns: readonly string[]): void {
  if (new Set(columns).size === columns.length) return
  const twice = columns.find((name, n) => columns.indexOf(name) !== n)
  throw new SqlError(`two columns of the result are called '${twice}': give one another name with AS`)
}
