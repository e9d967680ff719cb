/** Letters that Unicode takes apart into nothing, and signs that are typed as another one. */
const others: Readonly<Record<string, string>> = {
  ø: 'o',
  ł: 'l',
  đ: 'd',
  ð: 'd',
  ħ: 'h',
  ı: 'i',
  ŧ: 't',
  ŋ: 'n',
  '’': "'",
  '‘': "'",
  ʻ: "'",
  ʼ: "'",
  '–': '-',
}

/** A text without accents and capitals, for comparisons: "Orléans" is "orleans". */
export function fold(text: string): string {
  const bare = text.normalize('NFD').replaceAll(/\p{M}/gu, '').toLowerCase().replaceAll(/\p{M}/gu, '')
  return bare.replaceAll(/[øłđðħıŧŋ’‘ʻʼ–]/g, (letter) => others[letter] ?? letter)
}

/** Latin with its additions, Greek and Cyrillic: where accents are letters of their own. */
const alphabets: readonly (readonly [from: number, to: number])[] = [
  [0x41, 0x24f],
  [0x2bb, 0x2bc],
  [0x370, 0x52f],
  [0x1e00, 0x1fff],
  [0x2013, 0x2019],
]

let variants: ReadonlyMap<string, string> | undefined

/** All that a letter without accents stands for, itself among them. */
function variantsOf(letter: string): string {
  variants ??= listVariants()
  return variants.get(letter) ?? letter
}

function listVariants(): Map<string, string> {
  const found = new Map<string, string>()
  for (const [from, to] of alphabets) {
    for (let code = from; code <= to; code++) {
      const letter = String.fromCodePoint(code)
      const base = fold(letter)
      if (base !== letter && base.length === 1) found.set(base, (found.get(base) ?? base) + letter)
    }
  }
  return found
}

/** A pattern for SQLite's GLOB, which a live query can use: of all texts that have these words in them, once folded. */
export function foldedGlob(words: string): string {
  const letters = Array.from(fold(words), (letter) => {
    const all = variantsOf(letter)
    return all.length > 1 || '*?['.includes(letter) ? `[${all}]` : letter
  })
  return `*${letters.join('')}*`
}
