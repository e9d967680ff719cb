import { isIndex } from '../../changes/index.ts'
import { isSchemaObject, jsonTypeOf, targetOf, type Facet, type JsonType, type SchemaObject } from './facets.ts'

/** How many schemas one step is asked of. What unfolds to more is taken to allow anything. */
const MAX_SCHEMAS = 2_000
/** How many schemas may lie within one another on the way, by `$ref` or otherwise. */
const MAX_CHAIN = 200

/**
 * What a JSON Schema may allow at a place inside a JSON column: a schema, or several of which all or any hold. It may say
 * more than the schema does, never less: `not`, `if` and which names a pattern matches are not asked.
 */
export type Shape = unknown

/** What a segment is, by the schema at its place: of an array, of an object, or as the value there has it. */
export type Step = 'index' | 'name' | 'either'

/** Several shapes at one place. */
class Several {
  readonly how: 'all' | 'any'
  readonly shapes: readonly Shape[]

  constructor(how: 'all' | 'any', shapes: readonly Shape[]) {
    this.how = how
    this.shapes = shapes
  }
}

/** What lies where all these facets apply. */
export function shapeOf(facets: readonly Facet[]): Shape {
  return new Several(
    'all',
    facets.filter(({ orNull }) => !orNull).map(({ schema }) => schema),
  )
}

/** Why a segment leads nowhere. */
export type Refused = 'no index' | 'no property' | 'no container'

/** Follows one segment, below the schema of a table: what the segment is, and what lies there; or why it leads nowhere. */
export function stepInto(root: SchemaObject, shape: Shape, segment: string): [step: Step, inner: Shape] | Refused {
  const walk = new Walk(root)
  const types = walk.types(shape)
  const [inArray, inObject] = [types.has('array'), types.has('object')]
  if (!inArray && !inObject) return 'no container'
  if (!inObject && !isIndex(segment)) return 'no index'
  const step = inArray && isIndex(segment) ? (inObject ? 'either' : 'index') : 'name'
  const inner = walk.inner(shape, segment, step)
  return walk.types(inner).size === 0 ? 'no property' : [step, inner]
}

const ALL: readonly JsonType[] = ['string', 'number', 'boolean', 'null', 'array', 'object']

/** One step through schemas, within bounds. */
class Walk {
  readonly #root: SchemaObject
  readonly #open = new Set<Shape>()
  #left = MAX_SCHEMAS

  constructor(root: SchemaObject) {
    this.#root = root
  }

  /** The JSON types that a value may have. */
  types(shape: Shape): ReadonlySet<JsonType> {
    if (shape === false) return new Set()
    return this.#within(shape, new Set(ALL), () => {
      if (shape instanceof Several) return this.#typesOf(shape)
      const schema = shape as SchemaObject
      const own = [this.#typesOf(this.#parts(schema)), new Set(named(schema['type']))]
      if (Array.isArray(schema['enum'])) own.push(new Set(schema['enum'].map((value) => named(jsonTypeOf(value))[0]!)))
      if ('const' in schema) own.push(new Set(named(jsonTypeOf(schema['const']))))
      return own.reduce((types, others) => new Set([...types].filter((type) => others.has(type))))
    })
  }

  /** What lies at a segment. */
  inner(shape: Shape, segment: string, step: Step): Shape {
    if (shape === false) return false
    return this.#within<Shape>(shape, true, () => {
      if (shape instanceof Several)
        return several(
          shape.how,
          shape.shapes.map((one) => this.inner(one, segment, step)),
        )
      const schema = shape as SchemaObject
      const types = new Set(named(schema['type']))
      const kinds: Shape[] = []
      if (step !== 'name' && types.has('array')) kinds.push(elementOf(schema, Number(segment)))
      if (step !== 'index' && types.has('object')) kinds.push(memberOf(schema, segment))
      return several('all', [several('any', kinds), this.inner(this.#parts(schema), segment, step)])
    })
  }

  #typesOf({ how, shapes }: Several): Set<JsonType> {
    const each = shapes.map((one) => this.types(one))
    return new Set(
      ALL.filter((type) => (how === 'all' ? each.every((one) => one.has(type)) : each.some((one) => one.has(type)))),
    )
  }

  /** What else applies where a schema does. */
  #parts(schema: SchemaObject): Several {
    const { $ref, allOf, anyOf, oneOf } = schema
    const parts: Shape[] = Array.isArray(allOf) ? [...(allOf as unknown[])] : []
    if (typeof $ref === 'string') parts.push(targetOf(this.#root, $ref))
    for (const branches of [anyOf, oneOf]) if (Array.isArray(branches)) parts.push(new Several('any', branches))
    return new Several('all', parts)
  }

  /** Asks a schema, unless it is being asked already, or too many were: then it says anything. */
  #within<T>(shape: Shape, anything: T, ask: () => T): T {
    if (typeof shape !== 'object' || shape === null || this.#open.has(shape)) return anything
    if (--this.#left < 0 || this.#open.size > MAX_CHAIN) return anything
    this.#open.add(shape)
    const answer = ask()
    this.#open.delete(shape)
    return answer
  }
}

/** Several shapes as few as they can be. */
function several(how: 'all' | 'any', shapes: readonly Shape[]): Shape {
  const decides = how === 'any'
  if (shapes.includes(decides)) return decides
  const others = [...new Set(shapes.filter((shape) => shape !== !decides && shape !== undefined))]
  if (others.length === 0) return !decides
  return others.length === 1 ? others[0] : new Several(how, others)
}

function elementOf({ items, prefixItems, additionalItems }: SchemaObject, index: number): Shape {
  const list = [prefixItems, items].find((one) => Array.isArray(one)) as readonly unknown[] | undefined
  return list?.[index] ?? (Array.isArray(items) ? additionalItems : items) ?? true
}

function memberOf({ properties, patternProperties, additionalProperties }: SchemaObject, name: string): Shape {
  if (isSchemaObject(properties) && Object.hasOwn(properties, name)) return properties[name]
  return several('any', [...Object.values(Object(patternProperties) as SchemaObject), additionalProperties ?? true])
}

function named(type: unknown): readonly JsonType[] {
  if (type === undefined) return ALL
  return (Array.isArray(type) ? type : [type]).map((one) => (one === 'integer' ? 'number' : one) as JsonType)
}
