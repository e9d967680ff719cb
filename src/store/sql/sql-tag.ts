import { SqlError } from '../../errors/index.ts'
import { quoteName } from '../../schema/index.ts'
import type { SqlQuery } from '../api.ts'

/** A statement, or a part of one, as the `sql` tag makes it. */
export interface SqlFragment extends SqlQuery {
  readonly sql: string
  readonly parameters: readonly unknown[]
}

const fragments = new WeakSet<object>()

/** The `sql` tag. */
export interface SqlTag {
  (strings: TemplateStringsArray, ...values: readonly unknown[]): SqlFragment
  /** A table's or column's name, quoted; several are joined with dots. */
  identifier(...names: readonly string[]): SqlFragment
  /** Values or fragments, separated. Throws SqlError for an empty list, which SQL has no text for. */
  join(values: readonly unknown[], separator?: string): SqlFragment
}

/**
 * SQL with values in it: each value becomes a parameter, a nested fragment becomes part of the text.
 *
 * @example
 * ```ts
 * store.query(sql`select name from city where population > ${limit} order by ${sql.identifier('name')}`)
 * ```
 */
export const sql: SqlTag = Object.assign(write, {
  identifier: (...names: readonly string[]): SqlFragment => makeFragment(names.map(quoteName).join('.'), []),
  join: (values: readonly unknown[], separator = ', '): SqlFragment => {
    if (values.length === 0) throw new SqlError('sql.join was given an empty list')
    const parts = values.map((value) => (isFragment(value) ? value : makeFragment('?', [value])))
    return makeFragment(
      parts.map((part) => part.sql).join(separator),
      parts.flatMap((part) => part.parameters),
    )
  },
})

function write(strings: TemplateStringsArray, ...values: readonly unknown[]): SqlFragment {
  let text = strings[0]!
  const parameters: unknown[] = []
  for (const [n, value] of values.entries()) {
    if (isFragment(value)) {
      text += value.sql
      parameters.push(...value.parameters)
    } else {
      text += '?'
      parameters.push(value)
    }
    text += strings[n + 1]!
  }
  return makeFragment(text, parameters)
}

function isFragment(value: unknown): value is SqlFragment {
  return typeof value === 'object' && value !== null && fragments.has(value)
}

function makeFragment(text: string, parameters: readonly unknown[]): SqlFragment {
  const fragment: SqlFragment = Object.freeze({ sql: text, parameters: Object.freeze(parameters) })
  fragments.add(fragment)
  return fragment
}
