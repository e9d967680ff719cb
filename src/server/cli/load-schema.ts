import { readFile } from 'node:fs/promises'
import { extname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { SchemaError } from '../../errors/index.ts'
import { defineSchema, isSchema, type Schema, type SchemaInput } from '../../schema/index.ts'
import { UsageError } from './usage-error.ts'

/** The schema of a file: of plain JSON, or what a module exports. Throws UsageError. */
export async function loadSchema(file: string): Promise<Schema> {
  const path = resolve(file)
  const found = extname(path) === '.json' ? await readJson(path, file) : await importModule(path, file)
  if (isSchema(found)) return found
  try {
    return defineSchema(found as SchemaInput)
  } catch (error) {
    if (error instanceof SchemaError) throw new UsageError(`--schema ${file}: ${error.message}`)
    throw error
  }
}

async function readJson(path: string, file: string): Promise<unknown> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    throw unreadable(file, error)
  }
  try {
    return JSON.parse(text) as unknown
  } catch (error) {
    throw new UsageError(`--schema ${file} is not JSON: ${messageOf(error)}`)
  }
}

async function importModule(path: string, file: string): Promise<unknown> {
  if (!/^\.[cm]?[jt]s$/.test(extname(path)))
    throw new UsageError(`--schema ${file}: give a .json file, or a .js or .mjs module that exports the schema`)
  try {
    await readFile(path)
  } catch (error) {
    throw unreadable(file, error)
  }
  let module: { readonly default?: unknown; readonly schema?: unknown }
  try {
    module = (await import(pathToFileURL(path).href)) as typeof module
  } catch (error) {
    throw new UsageError(`--schema ${file} can't be run: ${messageOf(error)}`)
  }
  const found = module.default ?? module.schema
  if (found === undefined)
    throw new UsageError(`--schema ${file} exports no schema: export it as default, or by the name schema`)
  return found
}

function unreadable(file: string, error: unknown): UsageError {
  const missing = (error as NodeJS.ErrnoException).code === 'ENOENT'
  return new UsageError(
    missing ? `--schema ${file}: there is no such file` : `--schema ${file} can't be read: ${messageOf(error)}`,
  )
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
