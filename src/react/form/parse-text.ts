import type { CellValue } from '../../changes/index.ts'
import { type FieldSchema, optionText } from './field-schema.ts'

/**
 * What a form's text stands for; `undefined` removes the property. Throws SyntaxError, with what is expected, for a text
 * that stands for no value.
 */
export function parseText({ kind, values, empty, attributes }: FieldSchema, text: string): CellValue {
  const option = values.findIndex((value) => optionText(value) === text)
  if (option >= 0) return values[option] as CellValue
  if (text === '') return attributes.required && empty === undefined ? refuse('given') : empty
  if (kind === 'boolean') return text === 'true'
  if (kind === 'options') return refuse(`one of ${values.map(optionText).join(', ')}`)
  if (kind === 'bigint') return /^\s*[-+]?\d+\s*$/.test(text) ? BigInt(text) : refuse('a whole number')
  if (kind === 'json') return parseJson(text)
  const number = text.trim() === '' ? Number.NaN : Number(text)
  if (kind !== 'string' && Number.isFinite(number)) return number
  return kind === 'number' ? refuse('a number') : text
}

function parseJson(text: string): CellValue {
  try {
    return JSON.parse(text) as CellValue
  } catch (error) {
    return refuse(`JSON: ${(error as SyntaxError).message}`)
  }
}

function refuse(expected: string): never {
  throw new SyntaxError(`must be ${expected}`)
}
