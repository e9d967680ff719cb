import { codePointBefore, codePoints, folded, widthOf } from './code-points.ts'
import { ANY_ONE, compileSearch } from './search.ts'

/** What stands between the `%` of a pattern, folded, `_` as `ANY_ONE`. */
export function likePieces(pattern: string): readonly (readonly number[])[] {
  return pattern
    .split('%')
    .map((piece) => codePoints(piece).map((point) => (point === 0x5f /* _ */ ? ANY_ONE : folded(point))))
}

/**
 * SQLite's LIKE without ESCAPE: `%` is any text, `_` one code point, ASCII letters in either case. Takes time
 * proportional to the text, and, where there are `_`, to each 32 code points between two `%`.
 */
export function compileLike(pattern: string): (text: string) => boolean {
  const pieces = likePieces(pattern)
  const first = pieces[0] ?? []
  const last = pieces.at(-1) ?? []
  const isWhole = pieces.length === 1
  const searches = pieces.slice(1, -1).flatMap((piece) => (piece.length > 0 ? [compileSearch(piece)] : []))
  return (given) => {
    // SQLite's LIKE reads up to the first NUL.
    const nul = given.indexOf('\0')
    const text = nul === -1 ? given : given.slice(0, nul)
    let at = endOfBeginning(first, text)
    if (isWhole || at === -1) return at === text.length
    const end = startOfEnding(last, text)
    // The first place of each piece leaves the most to those behind it.
    for (const search of searches) {
      if (at > end) return false
      at = search(text, at)
      if (at === -1) return false
    }
    return at <= end
  }
}

/** Where a piece ends that a text begins with, or -1. */
function endOfBeginning(piece: readonly number[], text: string): number {
  let at = 0
  for (const want of piece) {
    if (at >= text.length) return -1
    const point = text.codePointAt(at) ?? 0
    if (want !== ANY_ONE && want !== folded(point)) return -1
    at += widthOf(point)
  }
  return at
}

/** Where a piece starts that a text ends with, or -1. */
function startOfEnding(piece: readonly number[], text: string): number {
  let at = text.length
  for (let n = piece.length - 1; n >= 0; n--) {
    if (at <= 0) return -1
    const point = codePointBefore(text, at)
    const want = piece[n]
    if (want !== ANY_ONE && want !== folded(point)) return -1
    at -= widthOf(point)
  }
  return at
}
