/** The fewest steps that still go wrong, and how. `run` rejects where they do. */
export async function minimise<Step>(
  steps: readonly Step[],
  run: (steps: readonly Step[]) => Promise<unknown>,
): Promise<{ readonly steps: readonly Step[]; readonly error: unknown }> {
  let left = steps
  let error: unknown
  const fails = async (some: readonly Step[]): Promise<boolean> => {
    try {
      await run(some)
      return false
    } catch (thrown) {
      error = thrown
      return true
    }
  }
  for (let size = Math.ceil(left.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = left.length - size; from > -size; from -= size) {
      const rest = left.filter((_, n) => n < from || n >= from + size)
      if (rest.length < left.length && (await fails(rest))) left = rest
    }
  }
  await fails(left)
  return { steps: left, error }
}
