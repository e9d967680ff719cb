/** A JSON Schema pattern, which may match anywhere, as an HTML one, which must match the whole text. */
export function htmlPattern(pattern: string): string {
  return /^\^[^|]*[^\\|]\$$/.test(pattern) ? pattern : `.*(?:${pattern}).*`
}

/** Whether a pattern takes what a colour input gives, `#rrggbb`, and no other text or length. */
export function isColorPattern(pattern: string): boolean {
  const expression = new RegExp(pattern, 'u')
  const others = ['red', '#09afb', '#09afbcde', '#zzzzzz']
  return expression.test('#09afbc') && !others.some((text) => expression.test(text))
}
