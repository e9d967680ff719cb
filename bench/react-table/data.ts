/** A row of the table: its id and what it says. */
export interface Item {
  readonly id: number
  readonly label: string
}

const adjectives = 'pretty large big small tall short long handsome plain quaint clean elegant easy angry crazy'.split(
  ' ',
)
const colours = 'red yellow blue green pink brown purple white black orange'.split(' ')
const nouns = 'table chair house bbq desk car pony cookie sandwich burger pizza mouse keyboard'.split(' ')

let nextId = 1
let seed = 42

/** Makes rows with new ids. Their labels are the same in each page, so that all apps should end with the same document. */
export function makeItems(count: number): Item[] {
  return Array.from({ length: count }, () => ({
    id: nextId++,
    label: `${pick(adjectives)} ${pick(colours)} ${pick(nouns)}`,
  }))
}

function pick(words: readonly string[]): string {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
  return words[Math.floor((seed / 2 ** 32) * words.length)]!
}
