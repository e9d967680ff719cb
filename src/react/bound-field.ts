import { useMemo } from 'react'
import { type CellValue, formatPath, parsePath, type Path } from '../changes/index.ts'
import { NotFoundError } from '../errors/index.ts'
import type { SchemaInput } from '../schema/index.ts'
import type { Workspace } from '../store/index.ts'
import { readPath } from './read-path.ts'
import { type ScopeContext, useScope } from './scope.ts'
import { constantSource, type Source, sourceOf } from './source.ts'
import { useStable } from './use-stable.ts'

/** One property of one row, or of a singleton, to be read, watched and written. */
export interface BoundField {
  readonly table: string
  readonly path: string
  readonly value: Source<CellValue>
  /** Whether there is a row to write to. */
  readonly exists: Source<boolean>
}

/** A field and the way to write it. Both keep their identity while the place and the providers stay. */
export interface WritableField {
  readonly field: BoundField
  /** Throws what the store refuses, and NotFoundError without a row. */
  readonly write: (value: CellValue) => void
}

// A place within any schema: here the types of the hooks above have done their work.
type LooseWorkspace = Workspace<SchemaInput>

/** Binds a property of a row. Without a key there is no value, and writing throws. */
export function useTableField<S extends SchemaInput>(
  context: ScopeContext<S>,
  table: string,
  key: unknown,
  path: Path,
): WritableField {
  const { store, workspace } = useScope(context)
  const at = useStable(key)
  const pathText = typeof path === 'string' ? path : formatPath(path)
  const field = useMemo((): BoundField => {
    if (at === null || at === undefined) {
      return { table, path: pathText, value: constantSource(undefined), exists: constantSource(false) }
    }
    const rows = (store as unknown as LooseWorkspace).table(table)
    const rowKey = at as Parameters<typeof rows.get>[0]
    const segments = parsePath(pathText)
    return {
      table,
      path: pathText,
      value: sourceOf(
        () => readPath(rows.get(rowKey) as CellValue, segments),
        () => rows.field$(rowKey, pathText),
      ),
      exists: sourceOf(
        () => rows.has(rowKey),
        () => rows.row$(rowKey),
      ),
    }
  }, [store, table, at, pathText])
  const write = useMemo(
    () => (value: CellValue) => {
      if (at === null || at === undefined)
        throw new NotFoundError(`there is no row of '${table}' to write to: its key is ${at}`)
      const rows = (workspace as unknown as LooseWorkspace).table(table)
      rows.set(at as Parameters<typeof rows.set>[0], pathText, value)
    },
    [workspace, table, at, pathText],
  )
  return useMemo(() => ({ field, write }), [field, write])
}

/** Binds a property of a singleton. */
export function useSingletonField<S extends SchemaInput>(
  context: ScopeContext<S>,
  name: string,
  path: Path,
): WritableField {
  const { store, workspace } = useScope(context)
  const pathText = typeof path === 'string' ? path : formatPath(path)
  const field = useMemo((): BoundField => {
    const singleton = (store as unknown as LooseWorkspace).value(name)
    const segments = parsePath(pathText)
    return {
      table: name,
      path: pathText,
      value: sourceOf(
        () => readPath(singleton.get() as CellValue, segments),
        () => singleton.field$(pathText),
      ),
      exists: constantSource(true),
    }
  }, [store, name, pathText])
  const write = useMemo(
    () => (value: CellValue) => (workspace as unknown as LooseWorkspace).value(name).set(pathText, value),
    [workspace, name, pathText],
  )
  return useMemo(() => ({ field, write }), [field, write])
}
