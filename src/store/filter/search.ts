import { folded, widthOf } from './code-points.ts'

/** Stands for any one code point. */
export const ANY_ONE = -1

/** Finds the first occurrence in a text from a place on, in UTF-16 units: where it ends, or -1. */
export type Search = (text: string, from: number) => number

/** Code points that are searched for at once. */
export const WORD = 32

/**
 * Searches texts, folded, for a piece of at least one code point, which is folded and may have `ANY_ONE` in it. Takes time proportional to the text; with `ANY_ONE`, for each 32 code points of the piece.
 */
export function compileSearch(piece: readonly number[]): Search {
  return piece.includes(ANY_ONE) ? searchByBits(piece) : searchLiteral(piece, folded)
}

/** Knuth, Morris and Pratt: what is known of the text is never read again. */
export function searchLiteral(piece: readonly number[], fold: (point: number) => number): Search {
  const shorter = borders(piece)
  return (text, from) => {
    let matched = 0
    for (let at = from; at < text.length;) {
      const point = text.codePointAt(at) ?? 0
      const seen = fold(point)
      at += widthOf(point)
      while (matched > 0 && piece[matched] !== seen) matched = shorter[matched - 1] ?? 0
      if (piece[matched] === seen && ++matched === piece.length) return at
    }
    return -1
  }
}

/** For each beginning of a piece the length of the longest shorter one that it ends with. */
function borders(piece: readonly number[]): Uint32Array {
  const lengths = new Uint32Array(piece.length)
  let length = 0
  for (let at = 1; at < piece.length; at++) {
    while (length > 0 && piece[at] !== piece[length]) length = lengths[length - 1] ?? 0
    if (piece[at] === piece[length]) length++
    lengths[at] = length
  }
  return lengths
}

/** Shift-and: a bit for each beginning of the piece says whether the text so far ends with it. */
function searchByBits(piece: readonly number[]): Search {
  const words = Math.ceil(piece.length / WORD)
  const last = 1 << ((piece.length - 1) % WORD)
  const masks = new Map<number, Int32Array>()
  const maskOf = (point: number): Int32Array => {
    const mask = new Int32Array(words)
    for (const [at, want] of piece.entries())
      if (want === ANY_ONE || want === point) mask[(at / WORD) | 0]! |= 1 << (at % WORD)
    return mask
  }
  const known = new Set(piece)
  const other = maskOf(ANY_ONE)
  return (text, from) => {
    const ends = new Int32Array(words)
    for (let at = from; at < text.length;) {
      const point = text.codePointAt(at) ?? 0
      at += widthOf(point)
      const seen = folded(point)
      let mask = known.has(seen) ? masks.get(seen) : other
      if (!mask) masks.set(seen, (mask = maskOf(seen)))
      let carried = 1
      for (let word = 0; word < words; word++) {
        const bits = ends[word]!
        ends[word] = ((bits << 1) | carried) & mask[word]!
        carried = bits >>> (WORD - 1)
      }
      if (ends[words - 1]! & last) return at
    }
    return -1
  }
}
