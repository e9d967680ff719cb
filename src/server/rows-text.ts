import { serializeValue } from '../changes/index.ts'
import type { WireRow } from '../transport/index.ts'

/** Characters of one message with rows, about. */
const PART_SIZE = 15 * 1024

/** Rows as messages without their opening braces. The last one says what the copy is up to with them. */
export function rowsTexts(
  rows: Iterable<WireRow>,
  last: { readonly position: string; readonly sequence?: number },
  subscription?: string,
): string[] {
  const parts: string[] = []
  const head = `"type":"rows",${subscription === undefined ? '' : `"subscription":${JSON.stringify(subscription)},`}"rows":[`
  let texts: string[] = []
  let size = 0
  for (const row of rows) {
    const text = serializeValue(row)
    texts.push(text)
    size += text.length
    if (size < PART_SIZE) continue
    parts.push(`${head}${texts.join(',')}]}`)
    texts = []
    size = 0
  }
  parts.push(`${head}${texts.join(',')}],${serializeValue(last).slice(1)}`)
  return parts
}
