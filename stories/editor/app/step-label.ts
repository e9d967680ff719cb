import { editorSchemaInput } from '../annotation-schema.ts'

/** As much of a row's change as a label tells: of a draft, of a step of the history, or of the server's log. */
interface Change {
  readonly table: string
  readonly key: unknown
  readonly op: 'insert' | 'update' | 'delete'
  readonly before: { readonly [path: string]: unknown }
  readonly after: { readonly [path: string]: unknown }
}

interface Titled {
  readonly title?: string
  readonly properties?: Readonly<Record<string, Titled>>
}

type NameOf = (table: string, key: string) => string

const tables: Readonly<Record<string, { readonly schema: Titled }>> = editorSchemaInput.tables

/** What a property is called in full, by the titles of the schema: `icon.border.color` is "icon border color". */
function titleOf(table: string, path: string): string {
  const titles: string[] = []
  let at: Titled | undefined = tables[table]?.schema
  for (const segment of path.split('.')) {
    at = at?.properties?.[segment]
    // Within a list there are no titles: the list's own says what it is.
    if (!at) break
    titles.push(at.title ?? segment)
  }
  return titles.length === 0 ? path : titles.join(' ').toLowerCase()
}

function subjectOf(changes: readonly Change[], nameOf: NameOf): string {
  const [first] = changes
  if (!first) return 'nothing'
  const { table, key, before, after } = first
  if (table === 'scene') return 'the scene'
  if (changes.length > 1) return `${changes.length.toLocaleString('en')} ${table}s`
  // By the name that it had: "Name of London" says what was renamed.
  const name = before['name'] ?? after['name']
  return typeof name === 'string' && name !== '' ? name : nameOf(table, String(key))
}

const isPlace = (path: string): boolean => path === 'position.lon' || path === 'position.lat'

function updateLabel(changes: readonly Change[], nameOf: NameOf): string {
  const table = changes[0]?.table ?? ''
  const subject = subjectOf(changes, nameOf)
  const paths = new Set(changes.flatMap(({ after, before }) => [...Object.keys(after), ...Object.keys(before)]))
  if ([...paths].every(isPlace)) return `Move ${subject}`
  // Of a move that is not all the two numbers are one property.
  const titles = [...new Set([...paths].map((path) => titleOf(table, isPlace(path) ? 'position' : path)))]
  return `${titles.length > 2 ? `${titles.length} properties` : titles.join(' and ')} of ${subject}`
}

/** What changes came to, in a few words: "Text size of Orléans", "Move 3 annotations", "Delete Here". */
export function stepLabel(changes: readonly Change[], nameOf: NameOf): string {
  const parts: string[] = []
  for (const table of new Set(changes.map((change) => change.table))) {
    const of = (op: Change['op']): Change[] => changes.filter((change) => change.table === table && change.op === op)
    const [added, deleted, updated] = [of('insert'), of('delete'), of('update')]
    if (added.length > 0) parts.push(`Add ${subjectOf(added, nameOf)}`)
    if (deleted.length > 0) parts.push(`Delete ${subjectOf(deleted, nameOf)}`)
    if (updated.length > 0) parts.push(updateLabel(updated, nameOf))
  }
  const [first = 'No change', ...others] = parts
  return [first.slice(0, 1).toUpperCase() + first.slice(1), ...others.map(lowered)].join(', ')
}

/** A label in the middle of a sentence. */
export function lowered(label: string): string {
  return /^\p{Lu}\p{Ll}/u.test(label) ? label.slice(0, 1).toLowerCase() + label.slice(1) : label
}

/** What an undo is called in everyone's history: "Undo: text size of Orléans". */
export function historyLabel(
  { label = 'an edit' }: { readonly label?: string | undefined },
  action: 'undo' | 'redo',
): string {
  return `${action === 'undo' ? 'Undo' : 'Redo'}: ${lowered(label)}`
}
