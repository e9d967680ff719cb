import { BehaviorSubject, type Observable, Subscription } from 'rxjs'
import type { Annotation, EditorStore } from './editor-store.ts'
import { annotationGroups } from './field-tree.ts'

const none: ReadonlySet<string> = new Set()

const fieldPaths: readonly string[] = annotationGroups.flatMap(({ sections }) =>
  sections.flatMap(({ fields, toggle }) => [...fields, ...(toggle ? [toggle] : [])].map(({ path }) => path)),
)

function valueAt(row: Annotation | undefined, segments: readonly string[]): unknown {
  let value: unknown = row
  for (const segment of segments) value = (value as Readonly<Record<string, unknown>> | undefined)?.[segment]
  return value
}

const same = (a: unknown, b: unknown): boolean =>
  a === b || (typeof a === 'object' && JSON.stringify(a) === JSON.stringify(b))

/**
 * The properties in which some annotations differ. A change is looked at by its paths only: of each, rows are compared
 * until two differ.
 */
export class MixedPaths {
  readonly paths$: BehaviorSubject<ReadonlySet<string>> = new BehaviorSubject(none)
  readonly #store: EditorStore
  readonly #ids: ReadonlySet<string>

  constructor(store: EditorStore, ids: readonly string[]) {
    this.#store = store
    this.#ids = new Set(ids)
    if (ids.length > 1) this.#compare(fieldPaths)
  }

  /** Keeps `paths$` up to date until it is unsubscribed. */
  follow(): Subscription {
    if (this.#ids.size < 2) return Subscription.EMPTY
    const changes$: Observable<{ readonly updated: readonly { key: unknown; after: object; before: object }[] }> =
      this.#store.table('annotation').changes$
    return changes$.subscribe(({ updated }) => {
      const touched = new Set<string>()
      for (const { key, after } of updated) {
        if (this.#ids.has(String(key))) for (const path of Object.keys(after)) touched.add(path)
      }
      const paths = fieldPaths.filter(
        (path) => touched.has(path) || [...touched].some((one) => one.startsWith(`${path}.`)),
      )
      if (paths.length > 0) this.#compare(paths)
    })
  }

  #compare(paths: readonly string[]): void {
    const table = this.#store.table('annotation')
    const [first, ...others] = this.#ids
    if (first === undefined) return
    const row = table.get(first)
    let equal = paths.map((path) => {
      const segments = path.split('.')
      return { path, segments, value: valueAt(row, segments) }
    })
    const mixed = new Set(this.paths$.value)
    for (const { path } of equal) mixed.delete(path)
    for (const id of others) {
      if (equal.length === 0) break
      const other = table.get(id)
      equal = equal.filter(({ path, segments, value }) => {
        if (same(valueAt(other, segments), value)) return true
        mixed.add(path)
        return false
      })
    }
    const before = this.paths$.value
    if (mixed.size !== before.size || [...mixed].some((path) => !before.has(path))) this.paths$.next(mixed)
  }
}
