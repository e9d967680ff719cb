import { mkdir, open, readdir, rmdir } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'

/** What Node's file system gave as the reason: `ENOENT`, `EEXIST`, … */
export function failureCode(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}

/** Makes names that were added to a directory, or taken from it, survive a power cut. */
export async function syncDirectory(path: string): Promise<void> {
  // Windows opens no directories, and keeps their entries itself.
  if (process.platform === 'win32') return
  const directory = await open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

/** Makes a directory and those above it, durable. Does nothing where it exists. */
export async function makeDirectory(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true })
  if (first === undefined) return
  const top = dirname(resolve(first))
  let at = resolve(path)
  do {
    at = dirname(at)
    await syncDirectory(at)
  } while (at.length > top.length)
}

/** Writes a new file, its bytes durable once it resolves; its name is only after `syncDirectory`. */
export async function writeDurably(path: string, contents: Uint8Array | string): Promise<void> {
  const file = await open(path, 'wx')
  try {
    await file.writeFile(contents)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** The names in a directory, none where there is no directory. */
export async function namesIn(path: string): Promise<readonly string[]> {
  return (await unlessMissing(readdir(path))) ?? []
}

/** After names were taken from a directory: makes that durable, and removes the directory if it was left empty. */
export async function tidyDirectory(path: string): Promise<void> {
  try {
    await syncDirectory(path)
    await rmdir(path)
  } catch (error) {
    const code = failureCode(error)
    if (code !== 'ENOENT' && code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error
  }
}

/** `undefined` where what a file was asked for failed because there is none. */
export async function unlessMissing<Result>(asked: Promise<Result>): Promise<Result | undefined> {
  try {
    return await asked
  } catch (error) {
    if (failureCode(error) === 'ENOENT') return undefined
    throw error
  }
}
