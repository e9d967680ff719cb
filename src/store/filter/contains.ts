import { codePoints } from './code-points.ts'
import { searchLiteral } from './search.ts'

/** UTF-16 units up to which JavaScript engines search in time proportional to the text, whatever is in it. */
const SHORT = 256

/** SQLite's `instr(text, part) > 0`, in time proportional to the text. */
export function compileContains(part: string): (text: string) => boolean {
  if (part.length <= SHORT) return (text) => text.includes(part)
  const search = searchLiteral(codePoints(part), (point) => point)
  return (text) => search(text, 0) !== -1
}
