import { normalPath, parsePath } from '../../changes/index.ts'
import { SchemaError } from '../../errors/index.ts'
import { isSchemaObject } from '../model/facets.ts'
import type { TableModel } from '../model/table-model.ts'
import type { TableInput } from '../types/index.ts'
import { declares } from './locate.ts'

/** Throws SchemaError for renames that could never apply, or in more than one way. */
export function checkRenames(table: TableModel, input: TableInput, tables: ReadonlyMap<string, unknown>): void {
  const place = `tables.${table.name}`
  if (input.renamedFrom !== undefined)
    for (const name of names(input.renamedFrom, `${place}.renamedFrom`))
      if (tables.has(name))
        throw new SchemaError(`${place}.renamedFrom`, `'${name}' is a table of this schema: nothing was renamed`)
  if (input.renames === undefined) return
  if (!isSchemaObject(input.renames))
    throw new SchemaError(`${place}.renames`, 'expected an object of old paths by new path')
  const sources = new Set<string>()
  const targets = new Set<string>()
  for (const [path, before] of Object.entries(input.renames)) {
    const at = `${place}.renames.${path}`
    if (!declares(table.root, parsePath(path).map(String)))
      throw new SchemaError(at, 'is not a property of the table: give the new path first')
    if (targets.has(normalPath(path))) throw new SchemaError(at, 'is there twice: remove one of them')
    targets.add(normalPath(path))
    for (const source of names(before, at).map(normalPath)) {
      if (declares(table.root, parsePath(source).map(String)))
        throw new SchemaError(at, `'${source}' is still a property of the table: nothing was renamed`)
      if (sources.has(source)) throw new SchemaError(at, `'${source}' can't become two properties`)
      sources.add(source)
    }
  }
}

/** One name or several, as a list. Throws SchemaError. */
function names(value: unknown, place: string): readonly string[] {
  const list: unknown[] = Array.isArray(value) ? value : [value]
  if (list.length > 0 && list.every((one) => typeof one === 'string' && one !== '')) return list as string[]
  throw new SchemaError(place, 'expected the name of before, or an array of names')
}
