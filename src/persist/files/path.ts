import { FileError } from './file-error.ts'

/**
 * The names along a path, none for the root: `/a//b/../c` is `a`, `c`, with or without the first slash. Throws `FileError`
 * with code `EINVAL` for a path that leads out of the root.
 */
export function pathNames(path: string): string[] {
  const names: string[] = []
  for (const name of path.split('/')) {
    if (name === '' || name === '.') continue
    if (name !== '..') names.push(name)
    else if (names.pop() === undefined) throw new FileError('EINVAL', path, 'the path leads out of the root')
  }
  return names
}
