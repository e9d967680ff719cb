/** What went wrong, for people. Node's `fetch` says what matters (`connect ECONNREFUSED …`) only in the cause. */
export function describeFailure(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause === undefined ? '' : describeFailure(error.cause)
  return cause === '' ? error.message : `${error.message}: ${cause}`
}
