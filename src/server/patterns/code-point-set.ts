/** Code points as ranges from and to, in any order. */
export type CodePointSet = readonly (readonly [number, number])[]

const LAST = 0x10_ffff

/** What `\d`, `\w` and `\s` stand for in JavaScript. */
export const SETS: { readonly [name: string]: CodePointSet } = {
  d: [[0x30, 0x39]],
  w: [
    [0x30, 0x39],
    [0x41, 0x5a],
    [0x5f, 0x5f],
    [0x61, 0x7a],
  ],
  s: [
    [0x09, 0x0d],
    [0x20, 0x20],
    [0xa0, 0xa0],
    [0x1680, 0x1680],
    [0x2000, 0x200a],
    [0x2028, 0x2029],
    [0x202f, 0x202f],
    [0x205f, 0x205f],
    [0x3000, 0x3000],
    [0xfeff, 0xfeff],
  ],
}

/** What ends a line, and is not meant by a `.`. */
export const LINE_ENDS: CodePointSet = [
  [0x0a, 0x0a],
  [0x0d, 0x0d],
  [0x2028, 0x2029],
]

/** All code points but these. */
export function complement(set: CodePointSet): CodePointSet {
  const others: [number, number][] = []
  let from = 0
  for (const [first, last] of set.toSorted(([a], [b]) => a - b)) {
    if (first > from) others.push([from, first - 1])
    from = Math.max(from, last + 1)
  }
  if (from <= LAST) others.push([from, LAST])
  return others
}

/** Halves of surrogate pairs are apart from each other, or they would be pairs. */
const BLOCKS: CodePointSet = [
  [0, 0xd7ff],
  [0xd800, 0xdbff],
  [0xdc00, 0xdfff],
  [0xe000, 0xffff],
  [0x1_0000, LAST],
]
const properties = new Map<string, CodePointSet>()

/** What a property stands for (`\p{Lu}`, `\P{Script=Greek}`), by JavaScript's own tables. */
export function propertySet(escape: string): CodePointSet {
  let set = properties.get(escape)
  if (!set) properties.set(escape, (set = BLOCKS.flatMap(([from, to]) => rangesOf(escape, from, to))))
  return set
}

function rangesOf(escape: string, from: number, to: number): CodePointSet {
  const width = from > 0xffff ? 2 : 1
  const all = Array.from({ length: to - from + 1 }, (_, at) => String.fromCodePoint(from + at)).join('')
  return Array.from(all.matchAll(new RegExp(`${escape}+`, 'gu')), ({ index, 0: run }) => [
    from + index / width,
    from + (index + run.length) / width - 1,
  ])
}
