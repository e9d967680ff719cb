import { _, str, type Ajv, type CodeKeywordDefinition } from 'ajv'

interface Duplicate {
  readonly i: number
  readonly j: number
}

const SCALARS = ['string', 'number', 'integer', 'boolean', 'null']

/**
 * `uniqueItems` as ajv has it, with the same errors, in time proportional to the array: ajv compares each item with each
 * other, unless their type says that they are no objects, and then takes `__proto__` for new each time.
 */
const uniqueItems: CodeKeywordDefinition = {
  keyword: 'uniqueItems',
  type: 'array',
  schemaType: 'boolean',
  error: {
    message: ({ params: { i, j } }) => str`must NOT have duplicate items (items ## ${j} and ${i} are identical)`,
    params: ({ params: { i, j } }) => _`{i: ${i}, j: ${j}}`,
  },
  code(context) {
    const { gen, data, parentSchema } = context
    if (context.schema !== true) return
    // Of several pairs, and which of a pair comes first in the error, are ajv's choice.
    const ref = areScalars(parentSchema['items']) ? lastPair : pairOfLast
    const found = gen.const('duplicate', _`${gen.scopeValue('func', { ref })}(${data})`)
    context.setParams({ i: _`${found}.i`, j: _`${found}.j` })
    context.fail(_`${found} !== undefined`)
  },
}

/** Puts `uniqueItems` in the place of ajv's own. */
export function addUniqueItems(ajv: Ajv): void {
  ajv.removeKeyword('uniqueItems')
  ajv.addKeyword(uniqueItems)
}

/** As ajv finds out whether it has to compare items one by one. */
function areScalars(items: unknown): boolean {
  const type = typeof items === 'object' && items !== null && 'type' in items ? items.type : undefined
  const types: readonly unknown[] = Array.isArray(type) ? type : [type]
  return types.every((one) => typeof one === 'string' && SCALARS.includes(one))
}

/** The last item that there is again behind it, and where. */
function lastPair(items: readonly unknown[]): Duplicate | undefined {
  const seen = new Map<string, number>()
  for (let i = items.length - 1; i >= 0; i--) {
    const text = textOf(items[i])
    const j = seen.get(text)
    if (j !== undefined) return { i, j }
    seen.set(text, i)
  }
  return undefined
}

/** The last item that there was before it, and where. */
function pairOfLast(items: readonly unknown[]): Duplicate | undefined {
  const seen = new Map<string, number>()
  let found: Duplicate | undefined
  for (const [i, item] of items.entries()) {
    const text = textOf(item)
    const j = seen.get(text)
    if (j !== undefined) found = { i, j }
    seen.set(text, i)
  }
  return found
}

/**
 * The same text for equal values, and for no others. It never is a number's digits alone: others can choose numbers, and
 * such texts, that a Map looks for in one place, as their hashes have no seed.
 */
function textOf(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value !== 'object' || value === null) return `${typeof value} ${String(value)}`
  if (Array.isArray(value)) return `[${value.map(textOf).join(',')}]`
  if (value instanceof Uint8Array) return `bytes ${value.join(',')}`
  const members = Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1))
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${textOf(member)}`).join(',')}}`
}
