import type { Key } from '../../changes/index.ts'
import { ValidationError } from '../../errors/index.ts'
import { EncodeFailure, encodeColumn, SINGLETON_KEY, type TableModel } from '../../schema/index.ts'

/**
 * Throws ValidationError unless a key that comes from elsewhere has the form of this table's: SQLite would turn a 5 into
 * the text '5', which is another key to everyone else.
 */
export function assertKeyForm(model: TableModel, key: Key): void {
  const refuse = (path: string, message: string): never => {
    throw new ValidationError([{ table: model.name, key, path, keyword: 'primaryKey', message }])
  }
  if (model.singleton) {
    if (key !== SINGLETON_KEY) refuse('', `is no key of the only row of '${model.name}': that is ${SINGLETON_KEY}`)
    return
  }
  const isList = Array.isArray(key)
  const parts = (isList ? key : [key]) as readonly Exclude<Key, readonly unknown[]>[]
  if (isList !== model.key.length > 1 || parts.length !== model.key.length)
    refuse('', `is no key of '${model.name}', which is by ${model.key.map(({ path }) => `'${path}'`).join(', ')}`)
  for (const [n, column] of model.key.entries()) {
    if (Object.is(parts[n], -0)) refuse(column.path, 'must not be -0')
    try {
      encodeColumn(column, parts[n])
    } catch (error) {
      if (!(error instanceof EncodeFailure)) throw error
      refuse(column.path, `of the key ${error.message}`)
    }
  }
}
