import { normalPath } from '../../changes/index.ts'
import { compareSql, compareText, toSqlValue } from './compare.ts'
import type { FieldResolver, FilterField } from './field.ts'
import { FilterError } from './filter-error.ts'
import { describeValue } from './operand.ts'

/** A total order of rows, the same in SQL and in JavaScript. */
export interface Ordering {
  /** The fields that it reads, the most significant first, the primary key's last. */
  readonly fields: readonly FilterField[]
  /** What stands after ORDER BY. Empty where there is neither an order nor a key. */
  readonly sql: string
  /** Negative where `a` comes before `b`; 0 only for rows of one key. */
  readonly compare: (a: object, b: object) => number
}

type Comparator = (a: object, b: object) => number

/**
 * Parses an `orderBy`: a path, with a minus before it for descending, or an array of them, where one may be an array of
 * segments; `undefined` for the order of the key alone. Null comes first (last in a descending order), text goes by code point, and ties by the fields of the
 * primary key, ascending. A path that itself starts with a minus is written `'\\-path'`. Throws FilterError for what is
 * no order or a field without one, and what the resolver throws for an unknown path.
 */
export function parseOrderBy(orderBy: unknown, resolve: FieldResolver, key: readonly FilterField[]): Ordering {
  const fields: FilterField[] = []
  const terms: string[] = []
  const comparators: Comparator[] = []
  const add = (field: FilterField, descending: boolean): void => {
    // Rows that a field has not told apart, it does not tell apart later either.
    if (fields.some((known) => known.path === field.path)) return
    fields.push(field)
    terms.push(descending ? `${field.sql} DESC` : field.sql)
    const ascending = compareField(field)
    comparators.push(descending ? (a, b) => ascending(b, a) : ascending)
  }
  for (const given of orderBy === undefined
    ? []
    : Array.isArray(orderBy)
      ? (orderBy as readonly unknown[])
      : [orderBy]) {
    const name = isSegments(given) ? normalPath(given) : given
    if (typeof name !== 'string') {
      throw new FilterError(
        '',
        `orderBy was given ${describeValue(name)}, where a path such as 'rank' or '-rank' is expected`,
      )
    }
    const descending = typeof given === 'string' && name.startsWith('-')
    const field = resolve(typeof given === 'string' && /^\\?-/.test(name) ? name.slice(1) : name)
    if (field.kind === 'json') {
      throw new FilterError(
        field.path,
        `'${field.path}': an array or object as a whole has no order: name a place inside it`,
      )
    }
    add(field, descending)
  }
  for (const field of key) add(field, false)
  return { fields, sql: terms.join(', '), compare: chain(comparators) }
}

function chain(comparators: readonly Comparator[]): Comparator {
  const [only] = comparators
  if (only && comparators.length === 1) return only
  return (a, b) => {
    for (const compare of comparators) {
      const order = compare(a, b)
      if (order !== 0) return order
    }
    return 0
  }
}

function compareField({ get }: FilterField): Comparator {
  return (a, b) => {
    const x = get(a)
    const y = get(b)
    if (typeof x === 'string' && typeof y === 'string') return compareText(x, y)
    return compareSql(toSqlValue(x), toSqlValue(y))
  }
}

function isSegments(given: unknown): given is readonly (string | number)[] {
  return Array.isArray(given) && given.every((segment) => typeof segment === 'string' || typeof segment === 'number')
}
