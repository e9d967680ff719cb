import type { Ajv, SchemaValidateFunction } from 'ajv'
import { equalValues, type CellValue } from '../changes/index.ts'
import type { Column } from './model/column.ts'

/** 64-bit integers of a row that no double is equal to, or that one may be equal to by chance only, by ajv's name of their place. */
export type ExactValues = ReadonlyMap<string, bigint>

export function isBeyondDoubles(column: Column, value: unknown): value is bigint {
  return column.kind === 'int64' && typeof value === 'bigint' && !Number.isSafeInteger(Number(value))
}

/** How a value is compared, and what is said where it does not hold. JavaScript compares a BigInt with a number without rounding. */
interface Comparison {
  readonly holds: (value: number | bigint, limit: number) => boolean
  readonly sign: string
}

const COMPARISONS: { readonly [keyword: string]: Comparison } = {
  minimum: { holds: (value, limit) => value >= limit, sign: '>=' },
  maximum: { holds: (value, limit) => value <= limit, sign: '<=' },
  exclusiveMinimum: { holds: (value, limit) => value > limit, sign: '>' },
  exclusiveMaximum: { holds: (value, limit) => value < limit, sign: '<' },
}

/** Puts keywords that compare such integers by their own values in the place of ajv's, which has the nearest doubles. */
export function addExactBounds(ajv: Ajv, exact: () => ExactValues): void {
  const replace = <Given>(
    keyword: string,
    type: 'number' | undefined,
    holds: (value: CellValue, given: Given) => boolean,
    describe: (given: Given) => { readonly message: string; readonly params: object },
  ): void => {
    const validate: SchemaValidateFunction = (given: Given, data: CellValue, _parent, context) => {
      if (holds(exact().get(context?.instancePath ?? '') ?? data, given)) return true
      validate.errors = [{ keyword, ...describe(given) }]
      return false
    }
    ajv.removeKeyword(keyword)
    ajv.addKeyword({ keyword, validate, ...(type && { type }) })
  }
  for (const [keyword, { holds, sign: comparison }] of Object.entries(COMPARISONS))
    replace(
      keyword,
      'number',
      (value, limit: number) => holds(value as number | bigint, limit),
      (limit) => ({ message: `must be ${comparison} ${String(limit)}`, params: { comparison, limit } }),
    )
  replace('multipleOf', 'number', isMultiple, (multipleOf) => ({
    message: `must be multiple of ${String(multipleOf)}`,
    params: { multipleOf },
  }))
  replace(
    'enum',
    undefined,
    (value, allowed: readonly CellValue[]) => allowed.some((one) => isSame(one, value)),
    (allowedValues) => ({ message: 'must be equal to one of the allowed values', params: { allowedValues } }),
  )
  replace(
    'const',
    undefined,
    (value, allowed: CellValue) => isSame(allowed, value),
    (allowedValue) => ({ message: 'must be equal to constant', params: { allowedValue } }),
  )
}

/** A fraction divides whole numbers as its multiples do: ajv's answer for those is not exact either. */
function isMultiple(value: CellValue, of: number): boolean {
  return typeof value === 'bigint' && Number.isSafeInteger(of)
    ? value % BigInt(of) === 0n
    : Number.isInteger(Number(value) / of)
}

function isSame(one: CellValue, value: CellValue): boolean {
  return typeof value === 'bigint'
    ? typeof one === 'number' && Number.isInteger(one) && BigInt(one) === value
    : equalValues(one, value)
}
