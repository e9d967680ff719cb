const ANY_ONE = -1
const ANY_MANY = -2

/**
 * SQLite's LIKE without ESCAPE: `%` is any text, `_` one code point, ASCII letters in either case. Takes time
 * proportional to text × pattern at worst.
 */
export function compileLike(pattern: string): (text: string) => boolean {
  const wanted: number[] = []
  for (const character of pattern) {
    const point = character.codePointAt(0) ?? 0
    if (character === '%') {
      if (wanted.at(-1) !== ANY_MANY) wanted.push(ANY_MANY)
    } else wanted.push(character === '_' ? ANY_ONE : lower(point))
  }
  return (text) => {
    // SQLite's LIKE reads up to the first NUL.
    const nul = text.indexOf('\0')
    return matches(wanted, nul === -1 ? text : text.slice(0, nul))
  }
}

/** Only the last `%` has to be tried again: what an earlier one took was enough to come this far. */
function matches(wanted: readonly number[], text: string): boolean {
  let at = 0
  let next = 0
  let retryAt = -1
  let retryNext = 0
  while (at < text.length) {
    const want = wanted[next]
    if (want === ANY_MANY) {
      retryAt = at
      retryNext = ++next
      continue
    }
    const point = text.codePointAt(at) ?? 0
    if (want === ANY_ONE || want === lower(point)) {
      at += widthOf(point)
      next++
    } else if (retryAt >= 0) {
      retryAt += widthOf(text.codePointAt(retryAt) ?? 0)
      at = retryAt
      next = retryNext
    } else return false
  }
  if (wanted[next] === ANY_MANY) next++
  return next === wanted.length
}

function widthOf(point: number): number {
  return point > 0xffff ? 2 : 1
}

function lower(point: number): number {
  return point >= 65 && point <= 90 ? point + 32 : point
}
