import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'

/** The code of a document (a path from the package's root) in the block whose first line is this. */
export function codeBlock(document: string, firstLine: string): string {
  const text = readFileSync(new URL(`../../../${document}`, import.meta.url), 'utf8')
  const codes = [...text.matchAll(/```\w+\n([\s\S]*?)```/g)].map(([, code]) => code!)
  const found = codes.find((code) => code.startsWith(`${firstLine}\n`))
  assert(found, `${document} has no block whose first line is: ${firstLine}`)
  return found
}
