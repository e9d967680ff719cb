import type { CellValue } from '../../changes/index.ts'
import { type FieldSchema, optionText } from './field-schema.ts'

/** What a text stands for: a value (`undefined` removes the property), or why it stands for none. */
export type ParsedText = { readonly value: CellValue } | { readonly error: string }

/**
 * Reads a form's text. An empty one is null where null is allowed, the empty string where the property must be there or
 * would fall back to a default, and else removes the property.
 */
export function parseText(schema: FieldSchema, text: string): ParsedText {
  const { kind } = schema
  const option = schema.values.findIndex((value) => optionText(value) === text)
  if (option !== -1) return { value: schema.values[option] as CellValue }
  if (text === '') return parseEmpty(schema)
  if (kind === 'boolean') return { value: text === 'true' }
  if (kind === 'number') return toNumber(text)
  if (kind === 'bigint')
    return /^\s*[-+]?\d+\s*$/.test(text) ? { value: BigInt(text) } : { error: 'must be a whole number' }
  if (kind === 'options') return { error: `must be one of ${schema.values.map(optionText).join(', ')}` }
  if (kind === 'json') return parseJson(text)
  if (kind === 'textOrNumber') return 'value' in toNumber(text) ? toNumber(text) : { value: text }
  return { value: text }
}

function parseEmpty({ kind, nullable, required, hasDefault }: FieldSchema): ParsedText {
  if (nullable) return { value: null }
  if ((kind === 'text' || kind === 'textOrNumber') && (required || hasDefault)) return { value: '' }
  return required && !hasDefault ? { error: 'must be given' } : { value: undefined }
}

function toNumber(text: string): ParsedText {
  const value = text.trim() === '' ? Number.NaN : Number(text)
  return Number.isFinite(value) ? { value } : { error: 'must be a number' }
}

function parseJson(text: string): ParsedText {
  try {
    return { value: JSON.parse(text) as CellValue }
  } catch (error) {
    return { error: `must be JSON: ${error instanceof Error ? error.message : String(error)}` }
  }
}
