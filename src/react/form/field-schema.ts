import type { Segments } from '../../changes/index.ts'
import type { JsonSchema, JsonSchemaObject, TableSchema } from '../../schema/index.ts'
import { htmlPattern, isColorPattern } from './html-pattern.ts'
import { mergeFacets } from './merge-facets.ts'

/** What a text in a form stands for. */
export type FieldKind = 'string' | 'number' | 'number|string' | 'bigint' | 'boolean' | 'options' | 'json' | 'binary'

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
  /** The property, without the path to it. */
  readonly name: string
  readonly kind: FieldKind
  /**
   * What an empty text stands for: null where null is allowed, the empty string where the property must be there or would
   * fall back to a default, and else `undefined`, which removes the property.
   */
  readonly empty: '' | null | undefined
  /** Whether it may be absent, with no default in its place. */
  readonly isOptional: boolean
  /** The values allowed, in the order of `options`. */
  readonly values: readonly unknown[]
  readonly options: readonly FieldOption[] | undefined
  /** Some are undefined or infinite: `toFieldProps` leaves them out. */
  readonly attributes: { readonly [Name in keyof FieldAttributes]: FieldAttributes[Name] | undefined }
}

/** The formats that are input types too. */
const INPUT_TYPES = ['color', 'date', 'email', 'password', 'url'] as const

/** What a form needs to know of the property at a path of a table. */
export function fieldSchema(table: TableSchema | undefined, segments: Segments): FieldSchema {
  const [facets, required] = table?.facetsAt(segments) ?? [[], false]
  const facet = mergeFacets(facets)
  const choices = choicesOf(facet)
  const values = choices.map((choice) => choice.const)
  const types = choices.length > 0 ? values.map(typeOf) : facets.flatMap(({ type = [] }) => type)
  const kind = kindOf(facet, types, choices.length)
  const isNullable = types.includes('null')
  const hasDefault = facet.default !== undefined
  const isRequired = required && !isNullable && !hasDefault && kind !== 'boolean'
  return {
    name: String(segments.at(-1) ?? ''),
    kind,
    isOptional: !required && !hasDefault,
    values,
    empty: isNullable ? null : (required || hasDefault) && kind.includes('string') ? '' : undefined,
    options:
      choices.length > 0 && kind !== 'boolean'
        ? choices.map(({ const: value, title = optionText(value) }) => ({ value: optionText(value), label: title }))
        : undefined,
    attributes: { ...attributesOf(kind, facet, !types.includes('number')), required: isRequired || undefined },
  }
}

/** A value as a form's text. */
export function optionText(value: unknown): string {
  return typeof value === 'object' && value !== null
    ? JSON.stringify(value)
    : String((value as string | number | bigint | boolean | null | undefined) ?? '')
}

function typeOf(value: unknown): string {
  return value === null ? 'null' : typeof value
}

/** A value that is allowed, and its title. */
type Choice = Pick<JsonSchemaObject, 'const' | 'title'>

function choicesOf(facet: JsonSchemaObject): readonly Choice[] {
  if (facet.const !== undefined) return [facet]
  const choices = facet.enum?.map((value) => ({ const: value })) ?? facet.oneOf ?? facet.anyOf ?? []
  return choices.every(isChoice) ? choices : []
}

function isChoice(schema: JsonSchema): schema is JsonSchemaObject {
  return (schema as Choice).const !== undefined
}

function kindOf(facet: JsonSchemaObject, types: readonly string[], choices: number): FieldKind {
  const kinds = new Set(types.map((type) => (type === 'integer' ? 'number' : type)))
  kinds.delete('null')
  const kind = [...kinds].toSorted().join('|')
  // What only true is allowed for is a checkbox still.
  if (kind === 'boolean' && choices < 2) return kind
  if (choices > 0) return 'options'
  if (kind === 'string' && facet.contentEncoding === 'base64') return 'binary'
  if (kind === 'number' && facet.format === 'int64') return 'bigint'
  return kind === 'string' || kind === 'number' || kind === 'number|string' ? kind : 'json'
}

function attributesOf(kind: FieldKind, facet: JsonSchemaObject, whole: boolean): FieldSchema['attributes'] {
  const { format = '', pattern, minLength, maxLength } = facet
  if (kind === 'options') return {}
  if (kind === 'boolean') return { type: 'checkbox' }
  if (kind === 'number' || kind === 'bigint') return numberAttributes(facet, whole)
  if (kind !== 'string') return { type: 'text' }
  const name = /^[iu]ri$/.test(format) ? 'url' : format
  const type = pattern && isColorPattern(pattern) ? 'color' : (INPUT_TYPES.find((one) => one === name) ?? 'text')
  return type === 'color' || type === 'date'
    ? { type }
    : { type, minLength, maxLength, pattern: pattern && htmlPattern(pattern) }
}

/** HTML knows no excluded bound: of a whole number it is the next one, of another the bound itself, which the store refuses. */
function numberAttributes(facet: JsonSchemaObject, whole: boolean): FieldSchema['attributes'] {
  const { minimum = -Infinity, maximum = Infinity, exclusiveMinimum = -Infinity, exclusiveMaximum = Infinity } = facet
  return {
    type: 'number',
    min: Math.max(minimum, whole ? Math.floor(exclusiveMinimum) + 1 : exclusiveMinimum),
    max: Math.min(maximum, whole ? Math.ceil(exclusiveMaximum) - 1 : exclusiveMaximum),
    step: facet.multipleOf ?? (whole ? 1 : 'any'),
  }
}
