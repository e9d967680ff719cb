/** How deep a message, and whatever comes from outside, may be nested: deeper values could be read and not written. */
export const MAX_DEPTH = 256

/** Whether a value is nested more than so many levels deep. */
export function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (levels === 0) return true
  for (const member of Array.isArray(value) ? value : Object.values(value))
    if (typeof member === 'object' && isDeeper(member, levels - 1)) return true
  return false
}
