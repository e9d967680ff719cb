import type { SqlValue } from '../../drivers/index.ts'
import type { Column, IndexModel } from '../../schema/index.ts'

/**
 * What takes a row out of others' way in a unique index while its own value is not there yet, in a column that may be
 * parked: a value of nobody's, another for each number; or that the object around the value is not there.
 */
export function parkedIn(
  { columns }: IndexModel,
  canPark: (column: Column) => boolean,
  number: number,
): [Column, SqlValue] | undefined {
  const column = columns.find(canPark)
  if (column) return [column, parkedValue(column, number)]
  for (const { guard } of columns)
    for (let around = guard; around; around = around.guard) if (canPark(around)) return [around, 0]
  return undefined
}

function parkedValue(column: Column, number: number): SqlValue {
  switch (column.storage) {
    case 'INTEGER':
      return -9_000_000_000_000_000 - number
    case 'REAL':
      return -1e300 - number * 1e290
    case 'BLOB':
      return new TextEncoder().encode(`rowcast ${number}`)
    default:
      return `\u{10FFFF}rowcast ${number}`
  }
}
