/** What was typed is wrong: said without a stack, with exit code 2. */
export class UsageError extends Error {
  override name = 'UsageError'
}
