import { readFile } from 'node:fs/promises'
import { extname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { UsageError } from './usage-error.ts'

/**
 * What a file of an option has: plain JSON, or what a module exports as default or by a name. Throws UsageError, which
 * names the option.
 */
export async function loadFile(option: string, file: string, name: string): Promise<unknown> {
  const path = resolve(file)
  const given = `${option} ${file}`
  return extname(path) === '.json' ? readJson(path, given) : importModule(path, given, name)
}

async function readJson(path: string, given: string): Promise<unknown> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    throw unreadable(given, error)
  }
  try {
    return JSON.parse(text) as unknown
  } catch (error) {
    throw new UsageError(`${given} is not JSON: ${messageOf(error)}`)
  }
}

async function importModule(path: string, given: string, name: string): Promise<unknown> {
  if (!/^\.[cm]?[jt]s$/.test(extname(path)))
    throw new UsageError(`${given}: give a .json file, or a .js, .mjs or .ts module that exports the ${name}`)
  try {
    await readFile(path)
  } catch (error) {
    throw unreadable(given, error)
  }
  let module: { readonly [name: string]: unknown }
  try {
    module = (await import(pathToFileURL(path).href)) as typeof module
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const isTooNew = code === 'ERR_UNKNOWN_FILE_EXTENSION'
    const advice = isTooNew ? `: use Node 22.18 or newer, which runs TypeScript, or give a .js or .json file` : ''
    throw new UsageError(`${given} can't be run: ${messageOf(error)}${advice}`)
  }
  const found = module['default'] ?? module[name]
  if (found === undefined)
    throw new UsageError(`${given} exports no ${name}: export it as default, or by the name ${name}`)
  return found
}

function unreadable(given: string, error: unknown): UsageError {
  const missing = (error as NodeJS.ErrnoException).code === 'ENOENT'
  return new UsageError(missing ? `${given}: there is no such file` : `${given} can't be read: ${messageOf(error)}`)
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
