import { fromBase64, setOwn, toBase64, type CellValue } from '../../changes/index.ts'
import { isColumn, type Column, type ObjectNode } from '../model/column.ts'
import { isObject, type RowObject } from '../model/row-codec.ts'

/**
 * A row with its values in the form that the new columns take, wherever they are the same JSON value: a 64-bit integer
 * and a plain one, bytes and their base64. What is no such case stays as it is, for the codec and validator to judge.
 */
export function fitRow(node: ObjectNode, row: RowObject): RowObject {
  const fitted: Record<string, CellValue> = {}
  for (const name of Object.keys(row)) {
    const value = row[name]
    const child = node.properties.get(name)
    if (child && !isColumn(child) && isObject(value)) setOwn(fitted, name, fitRow(child, value))
    else setOwn(fitted, name, child && isColumn(child) ? fitValue(child, value) : jsonForm(value))
  }
  return fitted
}

function fitValue(column: Column, value: CellValue): CellValue {
  if (column.kind === 'int64') return typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : value
  if (column.kind === 'binary') return typeof value === 'string' ? (bytesOf(value) ?? value) : value
  return jsonForm(value)
}

/** An integer beyond 2^53 stays a bigint: no rounding, so JSON refuses it. */
function jsonForm(value: CellValue): CellValue {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value
  if (value instanceof Uint8Array) return toBase64(value)
  if (!isObject(value)) return value
  const copy: Record<string, CellValue> = {}
  for (const name of Object.keys(value)) setOwn(copy, name, jsonForm(value[name]))
  return copy
}

/** `undefined` for a text that is not the one base64 form of some bytes. */
function bytesOf(text: string): Uint8Array | undefined {
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)) return undefined
  const bytes = fromBase64(text)
  return toBase64(bytes) === text ? bytes : undefined
}
