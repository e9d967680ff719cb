import { SchemaError } from '../../errors/index.ts'

/** A JSON Schema object, unread. */
export type SchemaObject = { readonly [keyword: string]: unknown }

/** One schema object that applies at a place, with the JSON pointer at which it stands in the table's schema. */
export interface Facet {
  readonly schema: SchemaObject
  readonly pointer: string
  /** Whether null is an alternative to it: one branch of an `anyOf` whose other one is null. */
  readonly orNull?: boolean
}

export type JsonType = 'string' | 'number' | 'integer' | 'boolean' | 'null' | 'array' | 'object'

/** How many schemas may refer to one another in a row. Far more than documents have, and far less than the stack takes. */
const MAX_CHAIN = 1000
/** How many schemas are read for one table. What refers to each other crosswise unfolds without end. */
const MAX_READS = 1_000_000

const ALL_TYPES: readonly JsonType[] = ['string', 'number', 'boolean', 'null', 'array', 'object']

/** Keywords that tie properties to each other, so that one property can't be judged alone. */
const CROSS_FIELD = [
  'if',
  'oneOf',
  'anyOf',
  'not',
  'dependentRequired',
  'dependentSchemas',
  'dependencies',
  'minProperties',
  'maxProperties',
  'patternProperties',
  'const',
  'enum',
] as const

export function isSchemaObject(value: unknown): value is SchemaObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Follows `$ref` and `allOf`, and an `anyOf`/`oneOf` that only adds `null`: every schema object that applies at a place. */
export class FacetReader {
  readonly #root: SchemaObject
  readonly #where: string
  /** The schemas whose types are being found out: one that is among its own alternatives may be anything. */
  readonly #typing = new Set<SchemaObject>()
  #reads = 0

  /** @param where the place of the table's schema in the document, for messages */
  constructor(root: SchemaObject, where: string) {
    this.#root = root
    this.#where = where
  }

  /** The facets of a schema. `'recursive'` where it refers to itself. Throws SchemaError for what can't be followed. */
  read(schema: unknown, pointer: string, chain: readonly string[] = []): readonly Facet[] | 'recursive' {
    if (schema === true) return []
    if (schema === false) return [{ schema: { not: {} }, pointer }]
    if (!isSchemaObject(schema))
      throw new SchemaError(this.at(pointer), 'expected a JSON Schema (an object or a boolean)')
    if (chain.length > MAX_CHAIN || ++this.#reads > MAX_READS)
      throw new SchemaError(
        this.at(pointer),
        'its $refs unfold to more than a table can be: make parts of it arrays or free-form objects',
      )
    if (schema['$dynamicRef'] !== undefined || schema['$recursiveRef'] !== undefined)
      throw new SchemaError(this.at(pointer), '$dynamicRef and $recursiveRef have no mapping: use $ref')
    // What stands beside $ref counts, as ajv has it for every draft.
    const facets: Facet[] = [{ schema, pointer }]
    const ref = schema['$ref']
    if (ref !== undefined) {
      const target = this.#resolve(ref, pointer)
      if (chain.includes(target.pointer)) return 'recursive'
      const read = this.read(target.schema, target.pointer, [...chain, target.pointer])
      if (read === 'recursive') return read
      facets.push(...read)
    }
    if (Array.isArray(schema['allOf'])) {
      for (const [index, branch] of schema['allOf'].entries()) {
        const read = this.read(branch, `${pointer}/allOf/${index}`, chain)
        if (read === 'recursive') return read
        facets.push(...read)
      }
    }
    const optional = this.#orNull(schema, pointer, chain)
    if (optional === 'recursive') return optional
    if (optional) facets.push(...optional.map((facet) => ({ ...facet, orNull: true })))
    return facets
  }

  /** The JSON types that a value may have at a place where all these facets apply. */
  types(facets: readonly Facet[]): Set<JsonType> {
    let types = new Set<JsonType>(ALL_TYPES)
    for (const facet of facets) {
      const own = this.#typesOf(facet)
      if (facet.orNull) own.add('null')
      types = intersect(types, own)
    }
    return types
  }

  /** Whether a facet ties the properties of its object to each other. */
  isCrossField(facet: Facet): boolean {
    return CROSS_FIELD.some((keyword) => {
      if (facet.schema[keyword] === undefined) return false
      if (keyword === 'anyOf' || keyword === 'oneOf')
        return this.#nonNullBranch(facet.schema, keyword, facet.pointer) === undefined
      return true
    })
  }

  at(pointer: string): string {
    return this.#where + pointer.slice(1).replaceAll('/', '.')
  }

  #orNull(schema: SchemaObject, pointer: string, chain: readonly string[]): readonly Facet[] | 'recursive' | undefined {
    for (const keyword of ['anyOf', 'oneOf'] as const) {
      const branch = this.#nonNullBranch(schema, keyword, pointer)
      if (branch) return this.read(branch.schema, branch.pointer, chain)
    }
    return undefined
  }

  #nonNullBranch(
    schema: SchemaObject,
    keyword: 'anyOf' | 'oneOf',
    pointer: string,
  ): { schema: unknown; pointer: string } | undefined {
    const branches = schema[keyword]
    if (!Array.isArray(branches)) return undefined
    const others = branches
      .map((branch: unknown, index) => ({ schema: branch, pointer: `${pointer}/${keyword}/${index}` }))
      .filter(
        (branch) =>
          !(isSchemaObject(branch.schema) && (branch.schema['type'] === 'null' || branch.schema['const'] === null)),
      )
    return others.length === 1 && branches.length > 1 ? others[0] : undefined
  }

  #typesOf(facet: Facet): Set<JsonType> {
    if (this.#typing.has(facet.schema)) return new Set(ALL_TYPES)
    this.#typing.add(facet.schema)
    try {
      return this.#typesIn(facet)
    } finally {
      this.#typing.delete(facet.schema)
    }
  }

  #typesIn({ schema, pointer }: Facet): Set<JsonType> {
    let types = new Set<JsonType>(ALL_TYPES)
    const type = schema['type']
    if (typeof type === 'string') types = intersect(types, new Set([type as JsonType]))
    else if (Array.isArray(type)) types = intersect(types, new Set(type as JsonType[]))
    if (Array.isArray(schema['enum'])) types = intersect(types, new Set(schema['enum'].map(jsonTypeOf)))
    if ('const' in schema) types = intersect(types, new Set([jsonTypeOf(schema['const'])]))
    for (const keyword of ['anyOf', 'oneOf'] as const) {
      const branches = schema[keyword]
      if (!Array.isArray(branches)) continue
      const union = new Set<JsonType>()
      for (const [index, branch] of branches.entries()) {
        const facets = this.read(branch, `${pointer}/${keyword}/${index}`, [pointer])
        for (const one of facets === 'recursive' ? ALL_TYPES : this.types(facets)) union.add(one)
      }
      types = intersect(types, union)
    }
    return types
  }

  #resolve(ref: unknown, pointer: string): { schema: unknown; pointer: string } {
    if (typeof ref !== 'string' || !(ref === '#' || ref.startsWith('#/')))
      throw new SchemaError(
        this.at(pointer),
        `$ref '${String(ref)}' is not local: put the definition under $defs and refer to it as '#/$defs/…'`,
      )
    if (!refSegments(ref))
      throw new SchemaError(
        this.at(pointer),
        `$ref '${ref}' has a percent sign that stands for no character: write % as %25`,
      )
    const schema = targetOf(this.#root, ref)
    if (schema === undefined) throw new SchemaError(this.at(pointer), `$ref '${ref}' points to nothing`)
    return { schema, pointer: ref }
  }
}

/** Whether a schema says that it is of draft-07; otherwise it is taken for 2020-12. */
export function isDraft07(root: SchemaObject): boolean {
  return typeof root['$schema'] === 'string' && root['$schema'].includes('draft-07')
}

/** The names that a local `$ref` leads through; `undefined` where its percent escapes stand for no characters. */
export function refSegments(ref: string): readonly string[] | undefined {
  try {
    return ref
      .split('/')
      .slice(1)
      .map((part) => decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~'))
  } catch {
    return undefined // URIError, the only thing that decodeURIComponent throws
  }
}

/** What a local `$ref` leads to; `undefined` where that is nothing, or it is not local. */
export function targetOf(root: unknown, ref: string): unknown {
  if (ref !== '#' && !ref.startsWith('#/')) return undefined
  let inside = root
  for (const name of refSegments(ref) ?? [])
    inside =
      (isSchemaObject(inside) || Array.isArray(inside)) && Object.hasOwn(inside, name)
        ? (inside as SchemaObject)[name]
        : undefined
  return inside
}

/** Escapes a property name for a JSON pointer in a URI fragment. */
export function pointerToken(name: string): string {
  return encodeURIComponent(name.replaceAll('~', '~0').replaceAll('/', '~1'))
}

export function jsonTypeOf(value: unknown): JsonType {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  return typeof value as JsonType
}

/** `integer` lies within `number`. */
function intersect(a: Set<JsonType>, b: Set<JsonType>): Set<JsonType> {
  const both = new Set<JsonType>()
  for (const type of a) {
    if (b.has(type)) both.add(type)
    else if (type === 'number' && b.has('integer')) both.add('integer')
    else if (type === 'integer' && b.has('number')) both.add('integer')
  }
  return both
}
