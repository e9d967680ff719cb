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
/**
 * Far enough from each other and from the selection's own blue to be told apart on the dark map; a name in any of them can
 * be read on a row that is selected.
 */
export const personColors = ['#ff8a5c', '#ffd166', '#5fd38d', '#3ec6d6', '#bd99ff', '#ff7ab8', '#c3e05a', '#ff7f93']

const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(Math.random() * items.length)] as Item
const windowKey = 'rowcast-editor-person'
const deviceKey = 'rowcast-editor-people'
/** A page that is loaded anew gives up its locks a moment later, and some seconds later on a busy machine. */
const graceMs = 5_000

/**
 * Who this window is in a project, until it closes: who it was before it was loaded anew, or else the first of those that
 * this browser has been and no other window is, so that what was kept in someone's name is found again.
 */
export async function takePerson(database: string): Promise<Person> {
  const before = readPeople(sessionStorage, windowKey)
  // Nobody can tell who the other windows are where there are no Web Locks; nothing is kept in anyone's name there.
  const known = navigator.locks ? readPeople(localStorage, deviceKey) : []
  const person =
    (await firstFree(database, before, graceMs)) ??
    (await firstFree(database, known, 0)) ??
    (await firstFree(database, [newPerson(known)], graceMs)) ??
    newPerson(known)
  sessionStorage.setItem(windowKey, JSON.stringify([person]))
  const people = readPeople(localStorage, deviceKey)
  if (navigator.locks && !people.some(({ name }) => name === person.name))
    localStorage.setItem(deviceKey, JSON.stringify([...people, person]))
  return person
}

/** The first that no other window of this browser is, as far as that can be told. */
async function firstFree(database: string, people: readonly Person[], waitMs: number): Promise<Person | undefined> {
  if (!navigator.locks) return people[0]
  for (const person of people) if (await isTaken(`rowcast-editor:${database}:${person.name}`, waitMs)) return person
  return undefined
}

/** Takes a lock for as long as the page lives, if it is free. */
function isTaken(lock: string, waitMs: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const options = waitMs > 0 ? { signal: AbortSignal.timeout(waitMs) } : { ifAvailable: true }
    navigator.locks
      .request(lock, options, (held) => {
        resolve(held !== null)
        return held === null ? undefined : new Promise<never>(() => undefined)
      })
      .catch((error: unknown) => {
        if (error instanceof DOMException && error.name === 'TimeoutError') resolve(false)
        else reject(error instanceof Error ? error : new Error(String(error)))
      })
  })
}

function newPerson(others: readonly Person[]): Person {
  const names = adjectives.flatMap((adjective) => animals.map((animal) => `${adjective} ${animal}`))
  const free = names.filter((name) => !others.some((other) => other.name === name))
  const unused = personColors.filter((color) => !others.some((other) => other.color === color))
  return { name: pick(free.length > 0 ? free : names), color: pick(unused.length > 0 ? unused : personColors) }
}

function readPeople(storage: Storage, key: string): Person[] {
  const people = JSON.parse(storage.getItem(key) ?? '[]') as Person[]
  return people.filter(({ name, color }) => name !== '' && personColors.includes(color))
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
