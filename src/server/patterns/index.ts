export { linearPatterns, linearWherePossible } from './linear-patterns.ts'
export { PatternError } from './pattern-error.ts'
