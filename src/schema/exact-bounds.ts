import type { ErrorObject } from 'ajv'
import { isSchemaObject } from './model/facets.ts'
import type { Column } from './model/column.ts'

/** Keywords that ajv compares as doubles. */
const COMPARED = new Set(['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf', 'enum', 'const'])

/** A 64-bit integer that no double is equal to, or that one may be equal to by chance only. */
export function isBeyondDoubles(column: Column, value: unknown): value is bigint {
  return column.kind === 'int64' && typeof value === 'bigint' && !Number.isSafeInteger(Number(value))
}

/** Errors of ajv, with what it says of a 64-bit integer at a place in the row by the nearest double replaced by what is so. */
export function withExactBounds(
  errors: readonly ErrorObject[],
  column: Column,
  value: bigint,
  instancePath: string,
): readonly ErrorObject[] {
  const others = errors.filter((error) => error.instancePath !== instancePath || !COMPARED.has(error.keyword))
  return [...others, ...exactErrors(column, value, instancePath)]
}

/** JavaScript compares a BigInt with a number by their values, without rounding. */
function* exactErrors({ facets }: Column, value: bigint, instancePath: string): Iterable<ErrorObject> {
  const error = (keyword: string, message: string, params: Readonly<Record<string, unknown>>): ErrorObject => ({
    keyword,
    instancePath,
    schemaPath: `#/${keyword}`,
    params,
    message,
  })
  for (const { schema, orNull } of facets) {
    if (!isSchemaObject(schema) || orNull) continue
    const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = schema as {
      readonly [keyword: string]: number | undefined
    }
    if (maximum !== undefined && value > maximum)
      yield error('maximum', `must be <= ${maximum}`, { comparison: '<=', limit: maximum })
    if (minimum !== undefined && value < minimum)
      yield error('minimum', `must be >= ${minimum}`, { comparison: '>=', limit: minimum })
    if (exclusiveMaximum !== undefined && value >= exclusiveMaximum)
      yield error('exclusiveMaximum', `must be < ${exclusiveMaximum}`, { comparison: '<', limit: exclusiveMaximum })
    if (exclusiveMinimum !== undefined && value <= exclusiveMinimum)
      yield error('exclusiveMinimum', `must be > ${exclusiveMinimum}`, { comparison: '>', limit: exclusiveMinimum })
    // A fraction divides whole numbers as its multiples do: ajv's answer for those is not exact either.
    if (multipleOf !== undefined && Number.isSafeInteger(multipleOf) && value % BigInt(multipleOf) !== 0n)
      yield error('multipleOf', `must be multiple of ${multipleOf}`, { multipleOf })
    const { enum: allowedValues, const: allowedValue } = schema
    if (Array.isArray(allowedValues) && !allowedValues.some((one) => isSame(one, value)))
      yield error('enum', 'must be equal to one of the allowed values', { allowedValues })
    if (allowedValue !== undefined && !isSame(allowedValue, value))
      yield error('const', 'must be equal to constant', { allowedValue })
  }
}

function isSame(one: unknown, value: bigint): boolean {
  return typeof one === 'number' && Number.isInteger(one) && BigInt(one) === value
}
