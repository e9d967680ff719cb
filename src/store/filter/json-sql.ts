import type { Inner } from '../../schema/index.ts'

/** How many segments of one expression may be an index or a name: each doubles it. */
const MOST_OPEN = 3

/** The value at a way into JSON, as SQL: NULL where there is none. The expression grows with the way, and no faster. */
export function jsonSql(source: string, { inner, steps }: Inner): string {
  let from = source
  let paths = ['$']
  for (const [n, segment] of inner.entries()) {
    if (steps[n] === 'either' && paths.length === 2 ** MOST_OPEN) {
      from = `(SELECT ${firstOf(paths, (path) => `j -> ${path}`)} FROM (SELECT ${from} AS j))`
      paths = ['$']
    }
    const index = `[${segment}]`
    const name = `."${segment.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
    paths =
      steps[n] === 'either'
        ? paths.flatMap((path) => [path + index, path + name])
        : paths.map((path) => path + (steps[n] === 'index' ? index : name))
  }
  return firstOf(paths, (path) => `json_extract(${from}, ${path})`)
}

/** At most one of them leads anywhere. */
function firstOf(paths: readonly string[], read: (path: string) => string): string {
  const found = paths.map((path) => read(`'${path.replaceAll("'", "''")}'`))
  return found.length === 1 ? found[0]! : `coalesce(${found.join(', ')})`
}
