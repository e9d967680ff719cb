import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/**
 * The path of a program on this machine, or `undefined`. That of an environment variable wins; where it is set and does not
 * name an executable, this throws, since another program in its place would be a surprise.
 * @param usual paths that are tried first
 * @param names that are looked for on the PATH
 */
export function findExecutable(
  variable: string,
  usual: readonly string[],
  names: readonly string[],
): string | undefined {
  const chosen = process.env[variable]
  if (chosen !== undefined && chosen !== '') {
    if (isExecutable(chosen)) return chosen
    throw new Error(`${variable} names ${chosen}, which is not an executable file. Correct it or unset it.`)
  }
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '')
  const onPath = names.flatMap((name) => folders.map((folder) => join(folder, name)))
  return [...usual, ...onPath].find(isExecutable)
}
