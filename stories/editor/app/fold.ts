/** Letters that Unicode does not take apart, and signs that are typed as another one. */
const others: Readonly<Record<string, string>> = {
  ø: 'o',
  ł: 'l',
  đ: 'd',
  ð: 'd',
  ħ: 'h',
  ı: 'i',
  ŧ: 't',
  ŋ: 'n',
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  þ: 'th',
  '’': "'",
  '‘': "'",
  ʻ: "'",
  ʼ: "'",
  '–': '-',
}

/** A text without accents, ligatures and capitals, for comparisons: "Orléans" is "orleans", "Gießen" is "giessen". */
export function fold(text: string): string {
  const bare = text.normalize('NFKD').toLowerCase().normalize('NFKD').replaceAll(/\p{M}/gu, '')
  return bare.replaceAll(/[øłđðħıŧŋßæœþ’‘ʻʼ–]/g, (letter) => others[letter] ?? letter)
}

/** Latin with its additions, Greek and Cyrillic, and ligatures: where accents are letters of their own. */
const alphabets: readonly (readonly [from: number, to: number])[] = [
  [0x41, 0x24f],
  [0x2bb, 0x2bc],
  [0x370, 0x52f],
  [0x1e00, 0x1fff],
  [0x2013, 0x2019],
  [0xfb00, 0xfb06],
]

interface Letters {
  /** By what they are folded to, of one letter or of several: all that are. */
  readonly variants: ReadonlyMap<string, string>
  /** The accents that they are taken apart into. */
  readonly marks: readonly string[]
}

let listed: Letters | undefined

function letters(): Letters {
  return (listed ??= listLetters())
}

function listLetters(): Letters {
  const variants = new Map<string, string>()
  const marks = new Set<string>()
  for (const [from, to] of alphabets) {
    for (let code = from; code <= to; code++) {
      const letter = String.fromCodePoint(code)
      const base = fold(letter)
      for (const mark of letter.normalize('NFD').match(/[\u0300-\u036f]/g) ?? []) marks.add(mark)
      if (base !== letter && /^[\p{L}\p{Po}\p{Pd}]+$/u.test(base))
        variants.set(base, (variants.get(base) ?? '') + letter)
    }
  }
  return { variants, marks: [...marks] }
}

/** How many patterns a search has at most: each two letters that may be written as one double them. */
const mostPatterns = 32

/**
 * What stands at the start of `words` in a text: some letters of `words`, and the signs that these may be. A sign of
 * several letters may begin before the words, or end after them.
 */
function startsOf(words: string, isFirst: boolean): Map<number, string> {
  const [letter = ''] = words
  const starts = new Map([[letter.length, letter]])
  for (const [base, signs] of letters().variants) {
    for (let skipped = 0; skipped < (isFirst ? base.length : 1); skipped++) {
      const part = base.slice(skipped)
      const taken = words.startsWith(part) ? part.length : part.startsWith(words) ? words.length : 0
      if (taken > 0) starts.set(taken, (starts.get(taken) ?? '') + signs)
    }
  }
  return starts
}

/** Patterns for SQLite's GLOB, which a live query can use: one of them fits each text that has these words in it, once folded. */
export function foldedGlobs(words: string): string[] {
  const folded = fold(words)
  let open: { readonly at: number; readonly glob: string }[] = [{ at: 0, glob: '*' }]
  const done: string[] = []
  while (open.length > 0) {
    open = open.flatMap(({ at, glob }) => {
      if (at === folded.length) {
        done.push(`${glob}*`)
        return []
      }
      const starts = [...startsOf(folded.slice(at), at === 0)]
      const kept = open.length + done.length < mostPatterns ? starts : starts.slice(0, 1)
      return kept.map(([taken, signs]) => ({
        at: at + taken,
        glob: glob + (signs.length > 1 || '*?['.includes(signs) ? `[${signs}]` : signs),
      }))
    })
  }
  return done
}

/** The accents that stand in a text as signs of their own, where it was written so: "e\u0301" for "é". */
export const looseMarks = (): readonly string[] => letters().marks

/** A pattern for GLOB: of all texts that have such accents. */
export const looseMarksGlob = '*[\u0300-\u036f]*'
