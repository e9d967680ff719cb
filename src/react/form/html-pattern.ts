/** A JSON Schema pattern, which may match anywhere, as an HTML one, which must match the whole text. */
export function htmlPattern(pattern: string): string {
  const anchored = pattern.startsWith('^') && /[^\\]\$$/.test(pattern) && !pattern.includes('|')
  return anchored ? pattern : `.*(?:${pattern}).*`
}

/** Whether a pattern takes what a colour input gives, `#rrggbb`, and no other text or length. */
export function isColorPattern(pattern: string): boolean {
  if (!pattern.includes('#')) return false
  try {
    const expression = new RegExp(pattern, 'u')
    return (
      expression.test('#09afbc') &&
      !['', 'red', '#', '#09afb', '#09afbcd', '#09afbcde', '#zzzzzz'].some((text) => expression.test(text))
    )
  } catch (error) {
    // ajv has refused it already, where it matters.
    if (error instanceof SyntaxError) return false
    throw error
  }
}
