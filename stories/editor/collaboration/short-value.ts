/** A value of a cell in a few letters. */
export function shortValue(value: unknown): string {
  if (value === undefined) return 'default'
  if (value === null) return 'none'
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
  return text.length > 32 ? `${text.slice(0, 31)}…` : text === '' ? 'empty' : text
}
