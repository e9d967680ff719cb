const QUOTE = 0x22
const BACKSLASH = 0x5c

/** What a text would be as JSON, as far as can be told without parsing it. */
export interface TextShape {
  /** Whether it is nested more deeply than may be. The rest of the text was not looked at then. */
  readonly deeper: boolean
  /** Lists and objects: what takes memory beyond the text itself once it is parsed. */
  readonly containers: number
}

/**
 * Judges a text before it is parsed: in one pass, without recursion, and no further than to where it is too deep. It need
 * not be JSON: what is none is left to the parser.
 */
export function shapeOf(text: string, levels: number): TextShape {
  let depth = 0
  let containers = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) at = endOfString(text, at)
    // `[` and `{`, `]` and `}` differ in one bit.
    else if ((code | 0x20) === 0x7b) {
      containers++
      if (++depth > levels) return { deeper: true, containers }
    } else if ((code | 0x20) === 0x7d) depth--
  }
  return { deeper: false, containers }
}

/** Where the string ends that begins here: at its closing quote, or with the text. */
export function endOfString(text: string, start: number): number {
  for (let at = start + 1; ;) {
    const quote = text.indexOf('"', at)
    if (quote < 0) return text.length
    let before = quote
    while (before > at && text.charCodeAt(before - 1) === BACKSLASH) before--
    if ((quote - before) % 2 === 0) return quote
    at = quote + 1
  }
}
