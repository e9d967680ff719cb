import { decodeValue, isCellObject, isList, setOwn, type CellValue, type Steps } from '../changes/index.ts'
import { endOfString } from '../transport/index.ts'

/** Characters that are handed to `JSON.parse` in one step, about. */
const PIECE = 64 * 1024
/** Lists within lists of a message, at most, whose members are decoded one by one. */
const LEVELS = 5

/** What `JSON.parse` makes of a text, a piece of it in a step. Throws SyntaxError. */
export function* parseInSteps(text: string): Steps<unknown> {
  if (text.length <= PIECE) return JSON.parse(text) as unknown
  const reader = new JsonReader(text)
  const value = yield* reader.value()
  reader.assertEnd()
  return value
}

/** The text of a member of the object that a text is, the first of its name. `undefined` where there is none, or no object. */
export function memberText(text: string, name: string): string | undefined {
  try {
    return new JsonReader(text).member(name)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/** As `decodeValue`, a member of the outer lists and objects in a step. */
export function* decodeInSteps(value: CellValue, levels: number = LEVELS): Steps<CellValue> {
  if (levels === 0) return decodeValue(value)
  if (isList(value)) {
    const list: CellValue[] = []
    for (const item of value) {
      list.push(yield* decodeInSteps(item, levels - 1))
      yield
    }
    return list
  }
  // What begins with `$` has its own meaning.
  if (!isCellObject(value) || Object.keys(value).some((key) => key.startsWith('$'))) return decodeValue(value)
  const object: { [key: string]: CellValue } = {}
  for (const key of Object.keys(value)) setOwn(object, key, yield* decodeInSteps(value[key], levels - 1))
  return object
}

/**
 * Reads JSON by parsing values that are short as a whole, several neighbours together, and going into those that are long.
 * Only their ends are looked for here: what is wrong within is left to `JSON.parse`.
 */
class JsonReader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  *value(): Steps<unknown> {
    this.#at = afterSpace(this.#text, this.#at)
    const end = endOfValue(this.#text, this.#at, this.#at + PIECE)
    if (end !== undefined) {
      const value: unknown = JSON.parse(this.#text.slice(this.#at, end))
      this.#at = end
      yield
      return value
    }
    const opening = this.#text[this.#at]
    if (opening === '[') return yield* this.#list()
    if (opening === '{') return yield* this.#object()
    throw this.#wrong()
  }

  assertEnd(): void {
    if (afterSpace(this.#text, this.#at) < this.#text.length) throw this.#wrong()
  }

  member(name: string): string | undefined {
    this.#at = afterSpace(this.#text, 0)
    if (this.#text[this.#at] !== '{') return undefined
    this.#at++
    if (this.#isEmpty('}')) return undefined
    do {
      const key = this.#key()
      const end = endOfValue(this.#text, this.#at, Infinity)
      if (end === undefined) throw this.#wrong()
      if (key === name) return this.#text.slice(this.#at, end)
      this.#at = end
    } while (this.#goesOn('}'))
    return undefined
  }

  *#list(): Steps<unknown[]> {
    const list: unknown[] = []
    this.#at++
    if (this.#isEmpty(']')) return list
    do {
      const neighbours = this.#neighbours(endOfValue)
      if (neighbours === undefined) list.push(yield* this.value())
      else for (const item of JSON.parse(`[${neighbours}]`) as unknown[]) list.push(item)
      yield
    } while (this.#goesOn(']'))
    return list
  }

  *#object(): Steps<object> {
    const object: { [key: string]: CellValue } = {}
    this.#at++
    if (this.#isEmpty('}')) return object
    do {
      const neighbours = this.#neighbours(endOfMember)
      if (neighbours === undefined) setOwn(object, this.#key(), (yield* this.value()) as CellValue)
      else
        for (const [key, value] of Object.entries(JSON.parse(`{${neighbours}}`) as typeof object))
          setOwn(object, key, value)
      yield
    } while (this.#goesOn('}'))
    return object
  }

  /** Whether it ends as it has begun, with nothing in it. */
  #isEmpty(closing: string): boolean {
    const at = afterSpace(this.#text, this.#at)
    if (this.#text[at] !== closing) return false
    this.#at = at + 1
    return true
  }

  /** As many of those that follow as are short together, as a text; `undefined` where the next is long, or wrong. */
  #neighbours(endOf: typeof endOfValue): string | undefined {
    const from = afterSpace(this.#text, this.#at)
    let end: number | undefined
    for (let at = from; at < from + PIECE; at++) {
      const next = endOf(this.#text, afterSpace(this.#text, at), from + PIECE)
      if (next === undefined) break
      end = next
      at = afterSpace(this.#text, next)
      if (this.#text[at] !== ',') break
    }
    if (end === undefined) return undefined
    this.#at = end
    return this.#text.slice(from, end)
  }

  /** The name of a member, up to its value. */
  #key(): string {
    const from = afterSpace(this.#text, this.#at)
    if (this.#text[from] !== '"') throw this.#wrong(from)
    const end = endOfString(this.#text, from) + 1
    const key = JSON.parse(this.#text.slice(from, end)) as string
    const colon = afterSpace(this.#text, end)
    if (this.#text[colon] !== ':') throw this.#wrong(colon)
    this.#at = afterSpace(this.#text, colon + 1)
    return key
  }

  /** Whether another member follows, or the list or object ends here. */
  #goesOn(closing: string): boolean {
    const at = afterSpace(this.#text, this.#at)
    const code = this.#text[at]
    if (code !== ',' && code !== closing) throw this.#wrong(at)
    this.#at = at + 1
    return code === ','
  }

  #wrong(at = this.#at): SyntaxError {
    return new SyntaxError(
      at < this.#text.length
        ? `unexpected '${this.#text[at]}' in JSON at position ${at}`
        : 'unexpected end of JSON input',
    )
  }
}

const QUOTE = 0x22
const COMMA = 0x2c

/** Behind the value that begins here; `undefined` where none does, or a list or object does not end before `limit`. */
function endOfValue(text: string, start: number, limit: number): number | undefined {
  const first = text.charCodeAt(start)
  if (first === QUOTE) {
    const end = endOfString(text, start)
    return end < text.length ? end + 1 : undefined
  }
  if ((first | 0x20) !== 0x7b) {
    let end = start
    while (end < text.length && !isSpace(text.charCodeAt(end)) && !endsScalar(text.charCodeAt(end))) end++
    return end > start ? end : undefined
  }
  const most = Math.min(limit, text.length)
  let depth = 0
  for (let at = start; at < most; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) at = endOfString(text, at)
    // `[` and `{`, `]` and `}` differ in one bit.
    else if ((code | 0x20) === 0x7b) depth++
    else if ((code | 0x20) === 0x7d && --depth === 0) return at + 1
  }
  return undefined
}

/** The same for a name and its value. */
function endOfMember(text: string, start: number, limit: number): number | undefined {
  if (text.charCodeAt(start) !== QUOTE) return undefined
  const colon = afterSpace(text, endOfString(text, start) + 1)
  return text[colon] === ':' ? endOfValue(text, afterSpace(text, colon + 1), limit) : undefined
}

function afterSpace(text: string, at: number): number {
  while (isSpace(text.charCodeAt(at))) at++
  return at
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09
}

function endsScalar(code: number): boolean {
  return code === COMMA || (code | 0x20) === 0x7d || (code | 0x20) === 0x7b || code === 0x3a || code === QUOTE
}
