import type { CellValue } from '../../changes/index.ts'
import { type FieldSchema, optionText } from './field-schema.ts'
import { TextError } from './text-error.ts'

/**
 * What a form's text stands for; `undefined` removes the property. Throws TextError, with what is expected, for a text
 * that stands for no value.
 */
export function parseText({ name, kind, values, empty, attributes }: FieldSchema, text: string): CellValue {
  const option = values.findIndex((value) => optionText(value) === text)
  if (option >= 0) return values[option] as CellValue
  if (text === '') {
    if (!attributes.required || empty !== undefined) return empty
    throw new TextError('required', { missingProperty: name }, 'must be given')
  }
  if (kind === 'boolean') return text === 'true'
  if (kind === 'options')
    throw new TextError('enum', { allowedValues: values }, `must be one of ${values.map(optionText).join(', ')}`)
  if (kind === 'bigint') return parseWhole(text)
  if (kind === 'json') return parseJson(text)
  const number = text.trim() === '' ? Number.NaN : Number(text)
  if (kind !== 'string' && Number.isFinite(number)) return number
  if (kind === 'number') throw new TextError('type', { type: 'number' }, 'must be a number')
  return text
}

function parseWhole(text: string): bigint {
  if (/^\s*[-+]?\d+\s*$/.test(text)) return BigInt(text)
  throw new TextError('type', { type: 'integer' }, 'must be a whole number')
}

function parseJson(text: string): CellValue {
  try {
    return JSON.parse(text) as CellValue
  } catch (error) {
    throw new TextError('format', { format: 'json' }, `must be JSON: ${(error as SyntaxError).message}`)
  }
}
