import type { FieldResolver, FilterField } from './field.ts'
import { FilterError } from './filter-error.ts'
import { everything, nothing } from './filter-node.ts'
import type { CompareNode, FilterNode, InNode } from './filter-node.ts'
import { describeValue, readOperand, readTextOperand } from './operand.ts'

const MAX_DEPTH = 100
const MAX_LIKE_BYTES = 50_000

type ReadCondition = (field: FilterField, operand: unknown) => FilterNode

const OPERATORS: { readonly [name: string]: ReadCondition } = {
  eq: (field, operand) => (operand === null ? { kind: 'null', field } : comparison(field, 'eq', operand)),
  ne: (field, operand) => (operand === null ? negated({ kind: 'null', field }) : comparison(field, 'ne', operand)),
  gt: (field, operand) => comparison(field, 'gt', operand),
  gte: (field, operand) => comparison(field, 'gte', operand),
  lt: (field, operand) => comparison(field, 'lt', operand),
  lte: (field, operand) => comparison(field, 'lte', operand),
  in: (field, operand) => membership(field, 'in', operand),
  notIn: (field, operand) => negated(membership(field, 'notIn', operand)),
  like: (field, operand) => {
    const pattern = readTextOperand(field, 'like', operand)
    // SQLite's limit, checked here so that both sides refuse the same.
    if (pattern.length * 3 > MAX_LIKE_BYTES && new TextEncoder().encode(pattern).length > MAX_LIKE_BYTES) {
      throw new FilterError(
        field.path,
        `'${field.path}': like was given a pattern of more than ${MAX_LIKE_BYTES} bytes`,
      )
    }
    return { kind: 'text', field, operator: 'like', operand: pattern }
  },
  startsWith: (field, operand) => ({
    kind: 'text',
    field,
    operator: 'startsWith',
    operand: readTextOperand(field, 'startsWith', operand),
  }),
  contains: (field, operand) => ({
    kind: 'text',
    field,
    operator: 'contains',
    operand: readTextOperand(field, 'contains', operand),
  }),
  isNull: (field, operand) => {
    if (typeof operand !== 'boolean') throw misuse(field, 'isNull', operand, 'true or false is expected')
    return operand ? { kind: 'null', field } : negated({ kind: 'null', field })
  },
  between: (field, operand) => {
    if (!Array.isArray(operand) || operand.length !== 2) {
      throw misuse(field, 'between', operand, 'an array of two bounds is expected')
    }
    const [from, to] = operand as readonly unknown[]
    return allOf([
      { kind: 'compare', field, operator: 'gte', operand: readOperand(field, 'between', from) },
      { kind: 'compare', field, operator: 'lte', operand: readOperand(field, 'between', to) },
    ])
  },
}

/**
 * Parses a `where`: conditions by property path that must all hold, with `and`, `or` and `not`.
 *
 * `and` and `or` with an array, and `not` with an object, are keywords, even where the table has a property of that
 * name: the property is written `'\\or'` then (a backslash before the name). With any other value they are properties.
 * In `in` and `notIn` a null stands for "null or absent". Throws FilterError for what is no filter, and what the
 * resolver throws for an unknown path.
 */
export function parseWhere(where: unknown, resolve: FieldResolver): FilterNode {
  return parseConditions(where, resolve, '', 0)
}

function parseConditions(where: unknown, resolve: FieldResolver, place: string, depth: number): FilterNode {
  if (!isPlainObject(where)) {
    throw new FilterError(
      place,
      `${place === '' ? 'where' : place} was given ${describeValue(where)}, where an object of conditions is expected`,
    )
  }
  if (depth > MAX_DEPTH) throw new FilterError('', `where is nested more than ${MAX_DEPTH} levels deep: flatten it`)
  return allOf(
    Object.keys(where).map((key) => {
      const value = where[key]
      if ((key === 'and' || key === 'or') && isEmptyObject(value))
        throw new FilterError(
          key,
          `'${key}' expects an array of conditions; a property of that name is written '\\\\${key}'`,
        )
      if ((key === 'and' || key === 'or') && Array.isArray(value)) {
        const nodes = value.map((member: unknown, at) => parseConditions(member, resolve, `${key}[${at}]`, depth + 1))
        return key === 'and' ? allOf(nodes) : anyOf(withMemberships(nodes))
      }
      if (key === 'not' && isPlainObject(value)) return negated(parseConditions(value, resolve, 'not', depth + 1))
      return parseCondition(resolve(/^\\(?:and|or|not)$/.test(key) ? key.slice(1) : key), value)
    }),
  )
}

function parseCondition(field: FilterField, condition: unknown): FilterNode {
  if (!isPlainObject(condition)) return readOperator('eq')(field, condition)
  return allOf(
    Object.keys(condition).map((name) => {
      if (!Object.hasOwn(OPERATORS, name)) {
        throw new FilterError(
          field.path,
          `'${field.path}': there is no operator '${name}'; there are ${Object.keys(OPERATORS).join(', ')}`,
        )
      }
      return readOperator(name)(field, condition[name])
    }),
  )
}

function readOperator(name: string): ReadCondition {
  const read = OPERATORS[name]
  if (!read) throw new Error(`no operator ${name}`)
  return read
}

function comparison(
  field: FilterField,
  operator: 'eq' | 'ne' | 'gt' | 'gte' | 'lt' | 'lte',
  operand: unknown,
): FilterNode {
  return { kind: 'compare', field, operator, operand: readOperand(field, operator, operand) }
}

function membership(field: FilterField, operator: 'in' | 'notIn', list: unknown): FilterNode {
  if (!Array.isArray(list)) throw misuse(field, operator, list, 'an array is expected')
  const members: readonly unknown[] = list
  const operands = members.filter((member) => member !== null).map((member) => readOperand(field, operator, member))
  const orNull = operands.length < members.length
  if (operands.length > 0) return { kind: 'in', field, operands, orNull }
  return orNull ? { kind: 'null', field } : nothing
}

function misuse(field: FilterField, operator: string, value: unknown, expected: string): FilterError {
  return new FilterError(
    field.path,
    `'${field.path}': ${operator} was given ${describeValue(value)}, where ${expected}`,
  )
}

function allOf(nodes: readonly FilterNode[]): FilterNode {
  const [first] = nodes
  if (!first) return everything
  return nodes.length === 1 ? first : { kind: 'and', nodes }
}

function anyOf(nodes: readonly FilterNode[]): FilterNode {
  const [first] = nodes
  if (!first) return nothing
  return nodes.length === 1 ? first : { kind: 'or', nodes }
}

/** Alternatives for the value of one field as one `in`: a look-up, and an index, in place of a comparison for each. */
function withMemberships(nodes: readonly FilterNode[]): readonly FilterNode[] {
  const byPath = new Map<string, (CompareNode | InNode)[]>()
  for (const node of nodes.filter(isMembership)) {
    const known = byPath.get(node.field.path)
    if (known) known.push(node)
    else byPath.set(node.field.path, [node])
  }
  return nodes.flatMap((node): readonly FilterNode[] => {
    const all = isMembership(node) ? (byPath.get(node.field.path) ?? []) : []
    const [first] = all
    if (!first || all.length === 1) return [node]
    if (first !== node) return []
    const operands = all.flatMap((one) => (one.kind === 'in' ? one.operands : [one.operand]))
    return [{ kind: 'in', field: first.field, operands, orNull: all.some((one) => one.kind === 'in' && one.orNull) }]
  })
}

function isMembership(node: FilterNode): node is CompareNode | InNode {
  return node.kind === 'in' || (node.kind === 'compare' && node.operator === 'eq')
}

function negated(node: FilterNode): FilterNode {
  return { kind: 'not', node }
}

function isPlainObject(value: unknown): value is { readonly [key: string]: unknown } {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  // An object of another realm has another Object.prototype, whose own prototype is null as well.
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

function isEmptyObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length === 0
}
