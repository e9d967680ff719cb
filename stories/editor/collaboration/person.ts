/** Someone at the editor, as the others see them. */
export interface Person {
  readonly name: string
  readonly color: string
}

const adjectives = [
  'Amber',
  'Brisk',
  'Calm',
  'Clever',
  'Gentle',
  'Keen',
  'Lucky',
  'Merry',
  'Quiet',
  'Swift',
  'Sunny',
  'Witty',
]
const animals = ['Badger', 'Crane', 'Falcon', 'Fox', 'Heron', 'Ibex', 'Lynx', 'Otter', 'Owl', 'Raven', 'Seal', 'Wren']
/** Far enough from each other and from the selection's own blue to be told apart on the dark map. */
const colors = ['#ff8a5c', '#ffd166', '#5fd38d', '#3ec6d6', '#b48cff', '#ff7ab8', '#c3e05a', '#f2637e']

const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(Math.random() * items.length)] as Item
const storageKey = 'rowcast-editor-person'

/** Who this window is: chosen at random, and kept until it closes. */
export function thisPerson(): Person {
  const kept = sessionStorage.getItem(storageKey)
  if (kept !== null) {
    const [name = '', color = ''] = kept.split('|')
    if (name !== '' && colors.includes(color)) return { name, color }
  }
  const person = { name: `${pick(adjectives)} ${pick(animals)}`, color: pick(colors) }
  sessionStorage.setItem(storageKey, `${person.name}|${person.color}`)
  return person
}

export const initialsOf = (name: string): string =>
  name
    .split(/\s+/)
    .slice(0, 2)
    .map((word) => word.slice(0, 1))
    .join('')
    .toUpperCase()

/** What the server knows someone by. It travels in a header: it has no letters beyond ASCII. */
export const tokenOf = ({ name }: Person): string => encodeURIComponent(name)
