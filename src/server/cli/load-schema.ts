import { SchemaError } from '../../errors/index.ts'
import { defineSchema, isSchema, type Schema, type SchemaInput } from '../../schema/index.ts'
import { loadFile } from './load-file.ts'
import { UsageError } from './usage-error.ts'

/** The schema of a file: of plain JSON, or what a module exports. Throws UsageError. */
export async function loadSchema(file: string): Promise<Schema> {
  const found = await loadFile('--schema', file, 'schema')
  if (isSchema(found)) return found
  try {
    return defineSchema(found as SchemaInput)
  } catch (error) {
    if (error instanceof SchemaError) throw new UsageError(`--schema ${file}: ${error.message}`)
    throw error
  }
}
