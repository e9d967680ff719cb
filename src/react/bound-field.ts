import { useMemo } from 'react'
import { type CellValue, formatPath, parsePath, type Path } from '../changes/index.ts'
import { NotFoundError } from '../errors/index.ts'
import { placeOf, readPath, type SchemaInput } from '../schema/index.ts'
import { rowAt } from './row-at.ts'
import { type ScopeContext, useScope } from './scope.ts'
import { constantSource, type Source, sourceOf } from './source.ts'
import { useStable } from './use-stable.ts'

/** One property of one row, or of a singleton, to be read and watched. It stays the same while the place and the store do. */
export interface BoundField {
  readonly table: string
  readonly path: string
  readonly value: Source<CellValue>
  /** The path of what a write would make: the outermost object around the property that is not there, else itself. */
  readonly outermostAbsent: () => string
  /** The value at a path of the row, as it is now. */
  readonly valueAt: (path: string) => CellValue
  /** Whether there is a row to write to. */
  readonly exists: Source<boolean>
}

/** A field and the way to write it. */
export interface WritableField {
  readonly field: BoundField
  /** What it is written to: the nearest provider's draft, else the store. */
  readonly workspace: object
  /**
   * Writes the property, or what is at another path of the row. The same while the place and the providers are. Throws
   * what the store refuses, and NotFoundError without a row.
   */
  readonly write: (value: CellValue, at?: string) => void
}

/** Binds a property of a row, or of a singleton (whose key is `SINGLETON`). Without a key there is no value. */
export function useBoundField<S extends SchemaInput>(
  context: ScopeContext<S>,
  table: string,
  key: unknown,
  path: Path,
): WritableField {
  const { store, workspace } = useScope(context)
  const at = useStable(key)
  const pathText = typeof path === 'string' ? path : formatPath(path)
  const field = useMemo((): BoundField => {
    const row = rowAt(store, table, at)
    const { segments } = placeOf(store.schema.tables.get(table)!.model, pathText)
    const read = (to: readonly string[]): CellValue => readPath(row?.get(), to)
    return {
      table,
      path: pathText,
      outermostAbsent: () => {
        const last = segments.findIndex((_, depth) => read(segments.slice(0, depth + 1)) === undefined)
        return last < 0 ? pathText : formatPath(segments.slice(0, last + 1))
      },
      valueAt: (at) => read(parsePath(at).map(String)),
      value: row
        ? sourceOf(
            () => readPath(row.get(), segments),
            () => row.field$(pathText),
          )
        : constantSource(undefined),
      exists: row ? sourceOf(() => row.get() !== undefined, row.row$) : constantSource(false),
    }
  }, [store, table, at, pathText])
  const write = useMemo(() => {
    const row = rowAt(workspace, table, at)
    return (value: CellValue, to = pathText) => {
      if (!row) throw new NotFoundError(`there is no row of '${table}' to write to: its key is ${String(at)}`)
      row.set(to, value)
    }
  }, [workspace, table, at, pathText])
  return { field, workspace, write }
}
