/** A quoted text or name, a comment, a parameter, a word, or anything else. */
const TOKEN =
  /'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]|--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|\?\d*|[\p{L}_$][\p{L}\p{N}_$]*|\s+|./gsu

/** Maybe a window's frame with a parameter in it. What only looks like one is just slower. */
const FRAME_OF_PARAMETERS = /\b(?:rows|range|groups)\b.*\?.*\b(?:preceding|following)\b/is

/**
 * A SELECT whose plan does not depend on the values of its parameters: `(select ?)` in place of `?`. Where SQLite has
 * looked at a parameter while it planned (in joins, orders, limits, LIKE), binding the next value expires the statement,
 * which is then prepared anew at each run, for up to a hundred times the price. `undefined` where there is nothing to do.
 *
 * GLOB keeps its parameter: its value is what lets SQLite use an index. So does the frame of a window, which must be a
 * constant.
 */
export function withStableParameters(sql: string): string | undefined {
  if (!sql.includes('?') || !/^\s*(?:select|with)\b/i.test(sql) || FRAME_OF_PARAMETERS.test(sql)) return undefined
  let changed = false
  let after = ''
  const tokens = (sql.match(TOKEN) ?? []).map((token) => {
    const isSpace = /^(?:\s|--|\/\*)/.test(token)
    const stable = token.startsWith('?') && !/^GLOB\(*$/.test(after)
    if (!isSpace) after = token === '(' ? after + token : token.toUpperCase()
    changed ||= stable
    return stable ? `(select ${token})` : token
  })
  return changed ? tokens.join('') : undefined
}
