import type { Segments } from '../../changes/index.ts'
import type { JsonSchemaObject } from '../../schema/index.ts'
import { fieldFacets } from './field-facets.ts'
import { htmlPattern, isColorPattern } from './html-pattern.ts'

/** What a text in a form stands for. */
export type FieldKind = 'text' | 'number' | 'bigint' | 'boolean' | 'textOrNumber' | 'options' | 'json' | 'binary'

/** One of the values that a schema allows. */
export interface FieldOption {
  /** The value as a form's text: what `<option value>` takes. */
  readonly value: string
  /** The schema's title for it, else the same text. */
  readonly label: string
}

/** The attributes of an `<input>` that a JSON Schema decides. */
export interface FieldAttributes {
  readonly type?: 'text' | 'number' | 'checkbox' | 'color' | 'date' | 'email' | 'url' | 'password'
  readonly min?: number
  readonly max?: number
  readonly step?: number | 'any'
  readonly minLength?: number
  readonly maxLength?: number
  readonly pattern?: string
  readonly required?: true
}

/** What a form needs to know of one property. */
export interface FieldSchema {
  readonly kind: FieldKind
  readonly nullable: boolean
  readonly required: boolean
  readonly hasDefault: boolean
  /** The values allowed, in the order of `options`. */
  readonly values: readonly unknown[]
  readonly options: readonly FieldOption[] | undefined
  readonly attributes: FieldAttributes
}

const INPUT_TYPES: { readonly [format: string]: FieldAttributes['type'] } = {
  color: 'color',
  date: 'date',
  email: 'email',
  'idn-email': 'email',
  uri: 'url',
  iri: 'url',
  url: 'url',
  password: 'password',
}

/** What a form needs to know of the property at a path of a table's JSON Schema. */
export function fieldSchema(root: JsonSchemaObject, segments: Segments): FieldSchema {
  const { facets, required } = fieldFacets(root, segments)
  const choices = choicesOf(facets)
  const values = choices?.map(({ value }) => value) ?? []
  const types = typesOf(facets, values)
  const kind = kindOf(facets, types, choices !== undefined)
  const hasDefault = facets.some((facet) => facet.default !== undefined)
  const nullable = types.has('null')
  return {
    kind,
    nullable,
    required,
    hasDefault,
    values,
    options: choices?.map(({ value, title }) => ({ value: optionText(value), label: title ?? optionText(value) })),
    attributes: {
      ...attributesOf(kind, facets, types),
      ...(required && !nullable && !hasDefault && kind !== 'boolean' ? { required: true } : {}),
    },
  }
}

/** A value as a form's text. */
export function optionText(value: unknown): string {
  return value === null || value === undefined ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value)
}

interface Choice {
  readonly value: unknown
  readonly title?: string | undefined
}

function choicesOf(facets: readonly JsonSchemaObject[]): readonly Choice[] | undefined {
  for (const facet of facets) {
    if (facet.const !== undefined) return [{ value: facet.const, title: facet.title }]
    if (facet.enum !== undefined) return facet.enum.map((value) => ({ value }))
    const branches = facet.oneOf ?? facet.anyOf ?? []
    const constants = branches.flatMap((one) => (typeof one === 'object' && one.const !== undefined ? [one] : []))
    if (constants.length > 0 && constants.length === branches.length) {
      return constants.map((one) => ({ value: one.const, title: one.title }))
    }
  }
  return undefined
}

function typesOf(facets: readonly JsonSchemaObject[], values: readonly unknown[]): ReadonlySet<string> {
  const types = new Set<string>()
  if (values.length > 0) {
    for (const value of values) types.add(value === null ? 'null' : typeof value)
    return types
  }
  for (const facet of facets) {
    for (const type of typeof facet.type === 'string' ? [facet.type] : (facet.type ?? [])) types.add(type)
    // The branches of an anyOf that only adds null; the other branch is a facet of its own.
    for (const branch of [...(facet.anyOf ?? []), ...(facet.oneOf ?? [])]) {
      if (typeof branch === 'object' && branch.type === 'null') types.add('null')
    }
  }
  return types
}

function kindOf(facets: readonly JsonSchemaObject[], types: ReadonlySet<string>, hasChoices: boolean): FieldKind {
  const [first, ...others] = [...types].filter((type) => type !== 'null')
  if (hasChoices && first !== 'boolean') return 'options'
  if (first === undefined || types.has('object') || types.has('array')) return 'json'
  const numeric = types.has('number') || types.has('integer')
  if (types.has('string')) {
    if (facets.some((facet) => facet.contentEncoding === 'base64')) return 'binary'
    return others.length === 0 ? 'text' : numeric && !types.has('boolean') ? 'textOrNumber' : 'json'
  }
  if (types.has('boolean')) return others.length === 0 ? 'boolean' : 'json'
  return facets.some((facet) => facet.format === 'int64') ? 'bigint' : 'number'
}

function attributesOf(
  kind: FieldKind,
  facets: readonly JsonSchemaObject[],
  types: ReadonlySet<string>,
): FieldAttributes {
  if (kind === 'boolean') return { type: 'checkbox' }
  if (kind === 'number' || kind === 'bigint') return numberAttributes(facets, !types.has('number'))
  if (kind !== 'text') return kind === 'options' ? {} : { type: 'text' }
  const format = facets.find((facet) => facet.format !== undefined)?.format ?? ''
  const pattern = facets.find((facet) => facet.pattern !== undefined)?.pattern
  const minLength = limit(facets, 'minLength', Math.max)
  const maxLength = limit(facets, 'maxLength', Math.min)
  const type = INPUT_TYPES[format] ?? (pattern !== undefined && isColorPattern(pattern) ? 'color' : 'text')
  if (type === 'color' || type === 'date') return { type }
  return {
    type,
    ...(minLength === undefined ? {} : { minLength }),
    ...(maxLength === undefined ? {} : { maxLength }),
    ...(pattern === undefined ? {} : { pattern: htmlPattern(pattern) }),
  }
}

/** HTML knows no excluded bound: of a whole number it is the next one, of another the bound itself, which the store refuses. */
function numberAttributes(facets: readonly JsonSchemaObject[], whole: boolean): FieldAttributes {
  const above = limit(facets, 'exclusiveMinimum', Math.max)
  const below = limit(facets, 'exclusiveMaximum', Math.min)
  const bounds = [
    limit(facets, 'minimum', Math.max),
    above === undefined ? undefined : whole ? Math.floor(above) + 1 : above,
  ]
  const tops = [
    limit(facets, 'maximum', Math.min),
    below === undefined ? undefined : whole ? Math.ceil(below) - 1 : below,
  ]
  const min = Math.max(...bounds.map((bound) => bound ?? -Infinity))
  const max = Math.min(...tops.map((bound) => bound ?? Infinity))
  return {
    type: 'number',
    ...(min === -Infinity ? {} : { min }),
    ...(max === Infinity ? {} : { max }),
    step: limit(facets, 'multipleOf', Math.max) ?? (whole ? 1 : 'any'),
  }
}

type Limit = 'minimum' | 'maximum' | 'exclusiveMinimum' | 'exclusiveMaximum' | 'multipleOf' | 'minLength' | 'maxLength'

function limit(
  facets: readonly JsonSchemaObject[],
  keyword: Limit,
  tightest: (...values: number[]) => number,
): number | undefined {
  const limits = facets.flatMap((facet) => facet[keyword] ?? [])
  return limits.length === 0 ? undefined : tightest(...limits)
}
