import type { SqlValue } from './sqlite-driver.ts'

/** An integer as `number` where that is exact. */
export function exactInteger(value: SqlValue): SqlValue {
  if (typeof value !== 'bigint') return value
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}
