import { ValidationError } from '../../errors/index.ts'
import type { NetRow } from './cells.ts'

/** The row of a singleton that its schema takes without anything given is always there. Throws ValidationError where it goes. */
export function keepSingletons(nets: readonly Pick<NetRow, 'op' | 'rows'>[]): void {
  for (const { op, rows } of nets) {
    if (op !== 'delete' || !rows.emptyRow) continue
    const { name } = rows.schema.model
    const message = `the only row of '${name}' can't be deleted, as all of it may be left out: value('${name}').reset() puts it back to its defaults`
    throw new ValidationError([{ table: name, key: undefined, path: '', keyword: 'required', message }])
  }
}
