/**
 * filter: the language of `where` and `orderBy`. Plain JSON is parsed to a tree, which becomes SQL and a JavaScript
 * predicate that agree exactly. Imports src/errors and the types of src/drivers' seam, nothing of the store.
 * @module
 */
export { compareSql, compareText, toSqlValue } from './compare.ts'
export type { FieldKind, FieldResolver, FilterField } from './field.ts'
export { FilterError } from './filter-error.ts'
export { everything, type FilterNode, type Operand } from './filter-node.ts'
export { jsonSql } from './json-sql.ts'
export { parseOrderBy, type Ordering } from './order-by.ts'
export { parseWhere } from './parse-where.ts'
export { pathsIn } from './paths-in.ts'
export { addPrices, FREE, priceOf, type FilterPrice } from './price.ts'
export { installTextFunctions } from './text-functions.ts'
export { whereToPredicate } from './where-to-predicate.ts'
export { whereToSql, type SqlFragment } from './where-to-sql.ts'
