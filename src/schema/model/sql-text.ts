import type { SqlValue } from '../../drivers/index.ts'

/** A name, quoted for SQL. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** A value as a SQL literal. */
export function literal(value: SqlValue, storage?: string): string {
  if (value === null) return 'NULL'
  if (typeof value === 'string') return `'${value.replaceAll("'", "''")}'`
  if (value instanceof Uint8Array)
    return `x'${Array.from(value, (byte) => byte.toString(16).padStart(2, '0')).join('')}'`
  return typeof value === 'number' && storage === 'REAL' && Number.isInteger(value) && Math.abs(value) < 1e15
    ? `${value}.0`
    : String(value)
}
