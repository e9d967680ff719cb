/**
 * Makes the regular expressions of a schema's patterns. What it makes must say what JavaScript's RegExp says with the flag
 * `u`. Throws an Error, which says why, for a pattern that it can't make.
 */
export type PatternEngine = (pattern: string) => { test(text: string): boolean }
