import type { EditorDraft } from './editor-store.ts'

type Annotations = ReturnType<typeof annotationsOf>
const annotationsOf = (draft: EditorDraft) => draft.table('annotation')

/** The part of a path that all rows have: what lies in a list is changed in one row, and the list given to the others. */
const sharedPath = (path: string): string => path.split('.').slice(0, path.split('.').findIndex(isIndex)).join('.')
const isIndex = (segment: string): boolean => /^\d+$/.test(segment)

/** A draft whose writes to properties of one annotation, the primary one, go to all of `ids` as one. */
export function writeToAll(draft: EditorDraft, primary: string, ids: readonly string[]): EditorDraft {
  const table = annotationsOf(draft)
  const toAll = (key: string, path: string | undefined, write: (id: string) => void): void => {
    if (key !== primary || path === undefined) {
      write(key)
      return
    }
    draft.transaction(() => {
      if (!path.split('.').some(isIndex)) for (const id of ids) write(id)
      else {
        write(primary)
        const shared = sharedPath(path) as 'points'
        const value = table.get(primary)?.[shared] ?? []
        for (const id of ids) table.set(id, shared, value)
      }
    })
  }
  const spread = instead(table, {
    set: ((key: string, path: 'name', value: string) =>
      toAll(key, path, (id) => table.set(id, path, value))) as Annotations['set'],
    reset: ((key: string, path: 'name') => toAll(key, path, (id) => table.reset(id, path))) as Annotations['reset'],
  })
  const tableOf = (name: 'annotation'): unknown => (name === 'annotation' ? spread : draft.table(name))
  return instead(draft, { table: tableOf as EditorDraft['table'] })
}

/** An object with some members replaced. */
function instead<Target extends object>(target: Target, members: Partial<Target>): Target {
  return new Proxy(target, {
    get(_, name) {
      if (Object.hasOwn(members, name)) return Reflect.get(members, name)
      const member: unknown = Reflect.get(target, name, target)
      return typeof member === 'function' ? (member.bind(target) as unknown) : member
    },
  })
}
