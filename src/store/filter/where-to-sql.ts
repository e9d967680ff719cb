import type { SqlValue } from '../../drivers/index.ts'
import { codePointBefore, widthOf } from './code-points.ts'
import type { FilterField } from './field.ts'
import { FilterError } from './filter-error.ts'
import type { CompareOperator, FilterNode, InNode, Operand, TextNode } from './filter-node.ts'

/** An expression with its parameters, in the order of its `?`. */
export interface SqlFragment {
  readonly sql: string
  readonly parameters: readonly SqlValue[]
}

const COMPARISONS: { readonly [O in CompareOperator]: string } = {
  eq: '=',
  ne: '<>',
  gt: '>',
  gte: '>=',
  lt: '<',
  lte: '<=',
}

/** SQLite's own limit. */
const MAX_PARAMETERS = 32_766
/** From here on a list of texts or integers travels as one JSON parameter. */
const LONG_LIST = 200
/** SQLite's own LIKE and `instr` take time proportional to text × pattern: no matter up to so many characters. */
const SHORT_TEXT = 64
const LAST_CHARACTER = '\u{10FFFF}'

/**
 * The SQL expression of a filter, in parentheses where it needs them: true, false or NULL for a row, as in the tree.
 * Throws FilterError where it has more values than SQLite has parameters.
 */
export function whereToSql(node: FilterNode): SqlFragment {
  const parameters: SqlValue[] = []
  const sql = writeNode(node, parameters)
  if (parameters.length > MAX_PARAMETERS) {
    throw new FilterError('', `where has ${parameters.length} values, SQLite takes ${MAX_PARAMETERS}: split it`)
  }
  return { sql, parameters }
}

function writeNode(node: FilterNode, parameters: SqlValue[]): string {
  switch (node.kind) {
    case 'and':
    case 'or':
      if (node.nodes.length === 0) return node.kind === 'and' ? '1' : '0'
      return joinBalanced(
        node.nodes.map((child) => writeNode(child, parameters)),
        node.kind === 'and' ? ' AND ' : ' OR ',
      )
    case 'not':
      return node.node.kind === 'null'
        ? `(${node.node.field.sql} IS NOT NULL)`
        : `(NOT ${writeNode(node.node, parameters)})`
    case 'null':
      return `(${node.field.sql} IS NULL)`
    case 'compare':
      return `(${comparedSql(node.field, [node.operand])} ${COMPARISONS[node.operator]} ${writeOperand(node.operand, parameters)})`
    case 'in':
      return writeIn(node, parameters)
    case 'text':
      return writeText(node, parameters)
  }
}

/** Joins in a tree, because SQLite limits how deep an expression is, and a chain of a thousand is a thousand deep. */
function joinBalanced(parts: readonly string[], separator: string): string {
  if (parts.length === 1) return parts[0] ?? ''
  if (parts.length <= 8) return `(${parts.join(separator)})`
  const middle = parts.length >> 1
  return `(${joinBalanced(parts.slice(0, middle), separator)}${separator}${joinBalanced(parts.slice(middle), separator)})`
}

/** The unary plus takes away the CAST's numeric affinity, by which the text '5' would equal the integer 5. */
function writeOperand(operand: Operand, parameters: SqlValue[]): string {
  if (typeof operand !== 'bigint') {
    parameters.push(operand)
    return '?'
  }
  parameters.push(operand.toString())
  return '+CAST(? AS INTEGER)'
}

/**
 * The left side of a comparison. JSON.stringify rounds the digits of numbers beyond 2^53, which SQLite reads as an exact
 * integer: where the operand is as large, they are made a double again, at the price of an index.
 */
function comparedSql({ kind, sql }: FilterField, operands: readonly Operand[]): string {
  return kind === 'any' && operands.some(isUnsafe)
    ? `iif(typeof(${sql}) = 'integer', +CAST(${sql} AS REAL), ${sql})`
    : sql
}

function isUnsafe(operand: Operand): boolean {
  if (typeof operand === 'number') return Math.abs(operand) > Number.MAX_SAFE_INTEGER
  return typeof operand === 'bigint' && !Number.isSafeInteger(Number(operand))
}

function writeIn(node: InNode, parameters: SqlValue[]): string {
  const { field, operands } = node
  const compared = comparedSql(field, operands)
  let list: string
  if (
    operands.length >= LONG_LIST &&
    operands.every((operand) => typeof operand === 'string' || Number.isSafeInteger(operand))
  ) {
    parameters.push(JSON.stringify(operands))
    list = 'SELECT value FROM json_each(?)'
  } else {
    list = operands.map((operand) => writeOperand(operand, parameters)).join(', ')
  }
  return node.orNull ? `(${compared} IN (${list}) OR ${field.sql} IS NULL)` : `(${compared} IN (${list}))`
}

function writeText(node: TextNode, parameters: SqlValue[]): string {
  const { field, operand } = node
  switch (node.operator) {
    case 'startsWith':
      return writeStartsWith(field.sql, operand, parameters)
    case 'contains':
      parameters.push(operand)
      return onText(
        field,
        operand.length > SHORT_TEXT ? `rowcast_contains(${wholeText(field)}, ?)` : `instr(${field.sql}, ?) > 0`,
      )
    case 'like':
      parameters.push(operand)
      return onText(field, operand.length > SHORT_TEXT ? `rowcast_like(${wholeText(field)}, ?)` : `${field.sql} LIKE ?`)
  }
}

/** The text as a function gets all of it: drivers end a text at its first NUL, which a place in JSON may have. */
function wholeText({ kind, sql }: FilterField): string {
  return kind === 'any' ? `CAST(${sql} AS BLOB)` : sql
}

/** False for what is no text, which `x <> x` is for all but NULL. */
function onText(field: FilterField, sql: string): string {
  return field.kind === 'any' ? `iif(typeof(${field.sql}) = 'text', ${sql}, ${field.sql} <> ${field.sql})` : `(${sql})`
}

/** A range, so that an index serves. It ends before the next text of the same length, or before the first blob. */
function writeStartsWith(sql: string, prefix: string, parameters: SqlValue[]): string {
  let start = prefix
  while (start.endsWith(LAST_CHARACTER)) start = start.slice(0, -LAST_CHARACTER.length)
  parameters.push(prefix)
  if (start === '') return `(${sql} >= ? AND ${sql} < X'')`
  const last = codePointBefore(start, start.length)
  start = start.slice(0, -widthOf(last))
  // What comes after U+D7FF is no character but half of a surrogate pair, which JSON may hold: too wide, so it is checked.
  const tooWide = last === 0xd7ff
  parameters.push(start + String.fromCodePoint(tooWide ? 0xe000 : last + 1))
  if (!tooWide) return `(${sql} >= ? AND ${sql} < ?)`
  parameters.push(prefix, prefix)
  return `(${sql} >= ? AND ${sql} < ? AND substr(${sql}, 1, length(?)) = ?)`
}
