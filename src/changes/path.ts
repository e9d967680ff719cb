/**
 * The segments of a property path. In an array given by a caller an index may be a number; what was parsed from a
 * string has strings only.
 */
export type Segments = readonly (string | number)[]

/** A property path as callers write it: `'text.font.size'`, `'points.0.x'`, or its segments `['meta', 'a.b', 0]`. */
export type Path = string | Segments

/** The path of the single key `''`: a backslash that escapes nothing, since the empty path is the row as a whole. */
const EMPTY_KEY = '\\'

/** Applications use far fewer paths than this; a stream of made-up ones must not fill the memory. */
const MAX_CACHED = 10_000

/** How many elements an array can have. SQLite would count on from 0 beyond it. */
const MAX_LENGTH = 2 ** 32 - 1

const parsed = new Map<string, Segments>()

/**
 * Takes a path apart. A dot separates; a backslash makes the character after it literal (`\.`, `\\`), and one at the
 * very end adds nothing. `''` is the row as a whole (no segments); the single key `''` is written `\`. It never throws.
 *
 * An all-digit segment stays a string here: whether it is an index or a key depends on what lies at that place, an
 * array or an object, and that is for the one who walks the value to decide.
 *
 * Segments come back as they are; what is parsed from a string is frozen and shared between calls.
 */
export function parsePath(path: Path): Segments {
  if (typeof path !== 'string') return path
  const known = parsed.get(path)
  if (known !== undefined) return known
  const segments = Object.freeze(path.includes('\\') ? splitEscaped(path) : path === '' ? [] : path.split('.'))
  if (parsed.size >= MAX_CACHED) parsed.clear()
  parsed.set(path, segments)
  return segments
}

/** Puts a path together: the inverse of `parsePath`, except that numbers come back from there as strings. */
export function formatPath(segments: Segments): string {
  if (segments.length === 1 && segments[0] === '') return EMPTY_KEY
  return segments.map(escapeSegment).join('.')
}

/** The path under the one spelling that it has here: an escape that is not needed changes nothing. */
export function normalPath(path: Path): string {
  return formatPath(parsePath(path))
}

/** Whether a segment can be an array's index, in the one way that an index is written: `0`, `7`, `12`. */
export function isIndex(segment: string): boolean {
  return /^(?:0|[1-9]\d{0,9})$/.test(segment) && Number(segment) < MAX_LENGTH
}

/** The path of a member: `joinPath('points', 2)` is `'points.2'`. */
export function joinPath(path: string, segment: string | number): string {
  if (path === '') return formatPath([segment])
  return `${path === EMPTY_KEY ? '' : path}.${escapeSegment(segment)}`
}

function escapeSegment(segment: string | number): string {
  const text = String(segment)
  return /[.\\]/.test(text) ? text.replace(/[.\\]/g, '\\$&') : text
}

function splitEscaped(path: string): string[] {
  const segments: string[] = []
  let segment = ''
  for (let at = 0; at < path.length; at++) {
    const char = path.charAt(at)
    if (char === '\\') {
      at++
      segment += path.charAt(at)
    } else if (char === '.') {
      segments.push(segment)
      segment = ''
    } else {
      segment += char
    }
  }
  segments.push(segment)
  return segments
}
