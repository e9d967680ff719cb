import { compareSql, compareText, toSqlValue } from './compare.ts'
import { compileContains } from './contains.ts'
import type { CompareNode, CompareOperator, FilterNode, InNode, Operand, TextNode } from './filter-node.ts'
import { compileLike } from './like.ts'

/** SQL's three truths; null is "unknown". */
type Truth = boolean | null
type Evaluate = (row: object) => Truth

/** Tells whether a row passes: exactly where the SQL of the same filter is true. It never throws. */
export function whereToPredicate(node: FilterNode): (row: object) => boolean {
  const evaluate = compile(node)
  return (row) => evaluate(row) === true
}

function compile(node: FilterNode): Evaluate {
  switch (node.kind) {
    case 'and':
      return compileAnd(node.nodes.map(compile))
    case 'or':
      return compileOr(node.nodes.map(compile))
    case 'not': {
      const inner = compile(node.node)
      return (row) => {
        const truth = inner(row)
        return truth === null ? null : !truth
      }
    }
    case 'null': {
      const { get } = node.field
      return (row) => isNullish(get(row))
    }
    case 'compare':
      return compileCompare(node)
    case 'in':
      return compileIn(node)
    case 'text':
      return compileText(node)
  }
}

function compileAnd(parts: readonly Evaluate[]): Evaluate {
  return (row) => {
    let result: Truth = true
    for (const part of parts) {
      const truth = part(row)
      if (truth === false) return false
      if (truth === null) result = null
    }
    return result
  }
}

function compileOr(parts: readonly Evaluate[]): Evaluate {
  return (row) => {
    let result: Truth = false
    for (const part of parts) {
      const truth = part(row)
      if (truth === true) return true
      if (truth === null) result = null
    }
    return result
  }
}

/** A test of how a value compares: what `compareSql` gives for (value, operand). */
const HOLDS: { readonly [O in CompareOperator]: (order: number) => boolean } = {
  eq: (order) => order === 0,
  ne: (order) => order !== 0,
  gt: (order) => order > 0,
  gte: (order) => order >= 0,
  lt: (order) => order < 0,
  lte: (order) => order <= 0,
}

function compileCompare({ field, operator, operand }: CompareNode): Evaluate {
  const { get } = field
  const holds = HOLDS[operator]
  const general: Evaluate = (row) => {
    const value = toSqlValue(get(row))
    return value === null ? null : holds(compareSql(value, operand))
  }
  if (typeof operand === 'string') {
    const wanted = operator === 'eq' || operator === 'ne' ? (value: string) => (value === operand ? 0 : 1) : undefined
    const order = wanted ?? ((value: string) => compareText(value, operand))
    return (row) => {
      const value = get(row)
      return typeof value === 'string' ? holds(order(value)) : general(row)
    }
  }
  if (typeof operand === 'number') {
    return (row) => {
      const value = get(row)
      // NaN is SQL's NULL.
      return typeof value === 'number' && value === value
        ? holds(value < operand ? -1 : value > operand ? 1 : 0)
        : general(row)
    }
  }
  return general
}

function compileIn({ field, operands, orNull }: InNode): Evaluate {
  const { get } = field
  const known = new Set<string | number | bigint>()
  const bytes = new Set<string>()
  for (const operand of operands) {
    if (operand instanceof Uint8Array) bytes.add(bytesAsText(operand))
    else known.add(canonical(operand))
  }
  return (row) => {
    const value = toSqlValue(get(row))
    if (value === null) return orNull ? true : null
    if (value instanceof Uint8Array) return bytes.size > 0 && bytes.has(bytesAsText(value))
    return known.has(canonical(value))
  }
}

/** Equal numbers as one key of a Set, whether they are bigints or not. */
function canonical(value: Exclude<Operand, Uint8Array>): string | number | bigint {
  if (typeof value !== 'bigint') return value
  const rounded = Number(value)
  return BigInt(rounded) === value ? rounded : value
}

/** Each byte as one character of its own. */
function bytesAsText(bytes: Uint8Array): string {
  return new TextDecoder('windows-1252').decode(bytes)
}

function compileText({ field, operator, operand }: TextNode): Evaluate {
  const { get } = field
  const test = textTest(operator, operand)
  return (row) => {
    const value = toSqlValue(get(row))
    if (typeof value === 'string') return test(value)
    return value === null ? null : false
  }
}

function textTest(operator: TextNode['operator'], operand: string): (text: string) => boolean {
  switch (operator) {
    case 'like':
      return compileLike(operand)
    case 'startsWith':
      return (text) => text.startsWith(operand)
    case 'contains':
      return compileContains(operand)
  }
}

function isNullish(value: unknown): boolean {
  return value === null || value === undefined || value !== value
}
