import { RE2JS } from 're2js'
import type { PatternEngine } from '../../schema/index.ts'
import { PatternError } from './pattern-error.ts'
import { translatePattern } from './translate-pattern.ts'

/**
 * Regular expressions that say what JavaScript's say, with the flag `u`, in time proportional to the text. Throws
 * PatternError for one that can't be had so: with lookaround, backreferences, flags within, or repeats over 1,000.
 */
export const linearPatterns: PatternEngine = (pattern) => {
  assertPattern(pattern)
  const translated = translatePattern(pattern)
  let compiled: RE2JS
  try {
    compiled = RE2JS.compile(translated)
  } catch (cause) {
    throw new PatternError(`it is too large: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
  return { test: (text) => compiled.test(text) }
}

/** For schemas of old versions, which are only gone through on the way to the one that is checked. */
export const linearWherePossible: PatternEngine = (pattern) => {
  try {
    return linearPatterns(pattern)
  } catch (error) {
    if (!(error instanceof PatternError)) throw error
    return new RegExp(pattern, 'u')
  }
}

function assertPattern(pattern: string): void {
  try {
    new RegExp(pattern, 'u')
  } catch (cause) {
    throw new PatternError(cause instanceof Error ? cause.message : String(cause), { cause })
  }
}
