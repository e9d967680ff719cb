import type { Observable } from 'rxjs'
import type { CellValue } from '../changes/index.ts'
import type { SchemaInput } from '../schema/index.ts'
import type { Workspace } from '../store/index.ts'

/** One row of a table, or a singleton's value: in a store, or in a draft. */
export interface RowAt {
  readonly get: () => CellValue
  readonly row$: () => Observable<unknown>
  readonly field$: (path: string) => Observable<unknown>
  readonly set: (path: string, value: CellValue) => void
}

/** What stands for the key of a singleton. */
export const SINGLETON: unique symbol = Symbol('singleton')

// A place within any schema: the types of the hooks have done their work.
type LooseWorkspace = Workspace<SchemaInput>

/** The row at a key, whether it exists or not, or the singleton of that name. `undefined` without a key. */
export function rowAt(workspace: object, name: string, key: unknown): RowAt | undefined {
  if (key === SINGLETON) {
    const singleton = (workspace as LooseWorkspace).value(name)
    return {
      get: () => singleton.get() as CellValue,
      row$: () => singleton.value$,
      field$: (path) => singleton.field$(path),
      set: (path, value) => singleton.set(path, value),
    }
  }
  if (key === null || key === undefined) return undefined
  const table = (workspace as LooseWorkspace).table(name)
  const at = key as Parameters<typeof table.get>[0]
  return {
    get: () => table.get(at) as CellValue,
    row$: () => table.row$(at),
    field$: (path) => table.field$(at, path),
    set: (path, value) => table.set(at, path, value),
  }
}
