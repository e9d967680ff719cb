import { complement, LINE_ENDS, propertySet, SETS, type CodePointSet } from './code-point-set.ts'
import { PatternError } from './pattern-error.ts'

/** Repeats that RE2 takes. */
const MOST_REPEATS = 1_000
const CONTROLS: { readonly [letter: string]: number } = { t: 9, n: 10, v: 11, f: 12, r: 13, '0': 0 }

/**
 * Writes a regular expression of JavaScript (with the flag `u`, known to be one) so that RE2 understands the same by it.
 * What it captures is forgotten. Throws PatternError for what RE2 has nothing for: lookaround, backreferences, flags
 * within, repeats over 1,000.
 */
export function translatePattern(pattern: string): string {
  return new Translator(pattern).all()
}

class Translator {
  readonly #characters: readonly string[]
  #at = 0

  constructor(pattern: string) {
    this.#characters = Array.from(pattern)
  }

  all(): string {
    let written = ''
    while (this.#at < this.#characters.length) written += this.#term(this.#next())
    return written
  }

  #term(character: string): string {
    switch (character) {
      case '\\':
        return this.#escape()
      case '[':
        return this.#class()
      case '(':
        return this.#group()
      case '{':
        return this.#repeats()
      case '.':
        return classOf(complement(LINE_ENDS))
      // Texts begin and end; lines are not looked at.
      case '^':
        return '\\A'
      case '$':
        return '\\z'
      case ')':
      case '|':
      case '*':
      case '+':
      case '?':
        return character
      default:
        return literal(pointOf(character))
    }
  }

  #group(): string {
    if (!this.#takes('?')) return '(?:'
    if (this.#takes(':')) return '(?:'
    if (this.#takes('=') || this.#takes('!')) throw new PatternError('it looks ahead, by (?= or (?!')
    if (!this.#takes('<')) throw new PatternError('it has flags within, by (?i: or alike')
    if (this.#takes('=') || this.#takes('!')) throw new PatternError('it looks behind, by (?<= or (?<!')
    this.#upTo('>')
    return '(?:'
  }

  #repeats(): string {
    const counts = this.#upTo('}')
    if (counts.split(',').some((count) => Number(count) > MOST_REPEATS))
      throw new PatternError(`it repeats more than ${MOST_REPEATS} times, by {${counts}}: use maxLength or minLength`)
    return `{${counts}}`
  }

  #escape(): string {
    const letter = this.#next()
    if (letter === 'b' || letter === 'B') return `\\${letter}`
    if (letter === 'k' || /[1-9]/.test(letter)) throw new PatternError(`it refers back, by \\${letter}`)
    const set = this.#set(letter)
    return set ? classOf(set) : literal(this.#point(letter))
  }

  #class(): string {
    const isNegated = this.#takes('^')
    const ranges: (readonly [number, number])[] = []
    while (!this.#takes(']')) {
      const atom = this.#atom()
      if (typeof atom !== 'number') ranges.push(...atom)
      else if (this.#peek() === '-' && this.#characters[this.#at + 1] !== ']') {
        this.#next()
        ranges.push([atom, this.#atom() as number])
      } else ranges.push([atom, atom])
    }
    return classOf(isNegated ? complement(ranges) : ranges)
  }

  /** One member of a class: a code point, or a set of them. */
  #atom(): number | CodePointSet {
    const character = this.#next()
    if (character !== '\\') return pointOf(character)
    const letter = this.#next()
    if (letter === 'b') return 8
    return this.#set(letter) ?? this.#point(letter)
  }

  /** What an escape stands for that is a set. */
  #set(letter: string): CodePointSet | undefined {
    if (letter === 'p' || letter === 'P') return propertySet(`\\${letter}${this.#next()}${this.#upTo('}')}}`)
    const set = SETS[letter.toLowerCase()]
    if (!set) return undefined
    return Object.hasOwn(SETS, letter) ? set : complement(set)
  }

  /** What an escape stands for that is one code point. */
  #point(letter: string): number {
    const control = CONTROLS[letter]
    if (control !== undefined) return control
    if (letter === 'c') return pointOf(this.#next()) % 32
    if (letter === 'x') return this.#hex(2)
    if (letter !== 'u') return pointOf(letter)
    if (this.#takes('{')) return Number.parseInt(this.#upTo('}'), 16)
    const unit = this.#hex(4)
    const start = this.#at
    const isPair = unit >= 0xd800 && unit <= 0xdbff && this.#takes('\\') && this.#takes('u') && this.#peek() !== '{'
    const pair = isPair ? pointOf(String.fromCharCode(unit, this.#hex(4))) : 0
    if (pair > 0xffff) return pair
    this.#at = start
    return unit
  }

  #hex(digits: number): number {
    return Number.parseInt(Array.from({ length: digits }, () => this.#next()).join(''), 16)
  }

  #peek(): string | undefined {
    return this.#characters[this.#at]
  }

  #next(): string {
    return this.#characters[this.#at++] ?? ''
  }

  #takes(character: string): boolean {
    if (this.#peek() !== character) return false
    this.#at++
    return true
  }

  /** What comes before a character, which is taken too. */
  #upTo(character: string): string {
    const end = this.#characters.indexOf(character, this.#at)
    const between = this.#characters.slice(this.#at, end).join('')
    this.#at = end + 1
    return between
  }
}

function pointOf(character: string): number {
  return character.codePointAt(0) ?? 0
}

function literal(point: number): string {
  const character = String.fromCodePoint(point)
  return /^[0-9A-Za-z]$/.test(character) ? character : hex(point)
}

function hex(point: number): string {
  return `\\x{${point.toString(16)}}`
}

function classOf(set: CodePointSet): string {
  // RE2 has no empty class.
  if (set.length === 0) return '[^\\x{0}-\\x{10ffff}]'
  return `[${set.map(([from, to]) => (from === to ? hex(from) : `${hex(from)}-${hex(to)}`)).join('')}]`
}
