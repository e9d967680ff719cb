/** The code points of a text. Half of a surrogate pair counts as the code point that it is. */
export function codePoints(text: string): number[] {
  return Array.from(text, (character) => character.codePointAt(0) ?? 0)
}

/** How many UTF-16 units a code point takes. */
export function widthOf(point: number): number {
  return point > 0xffff ? 2 : 1
}

/** The code point that ends at a place of a text, of which there is at least one. */
export function codePointBefore(text: string, end: number): number {
  const last = text.charCodeAt(end - 1)
  const pair = end > 1 && last >= 0xdc00 && last <= 0xdfff ? (text.codePointAt(end - 2) ?? last) : last
  return pair > 0xffff ? pair : last
}

/** A code point as SQLite's LIKE compares it: ASCII letters in lower case, half of a surrogate pair as U+FFFD. */
export function folded(point: number): number {
  if (point >= 0x41 && point <= 0x5a) return point + 32
  return point >= 0xd800 && point <= 0xdfff ? 0xfffd : point
}
