import type { QuotaEstimate } from './persistence.ts'

/** What the origin uses and may use. */
export async function estimateOrigin(): Promise<QuotaEstimate | undefined> {
  const { usage, quota } = (await navigator.storage?.estimate?.()) ?? {}
  return usage === undefined || quota === undefined ? undefined : { usage, quota }
}

let asked = false

/**
 * Asks the browser, once a page, not to clear the origin's storage when the disk fills up. Some ask the user. Nothing waits
 * for the answer: `navigator.storage.persisted()` tells it.
 */
export function askToPersist(): void {
  if (asked) return
  asked = true
  // A refusal and a failure are the same to us: the data is kept as long as the browser likes.
  navigator.storage?.persist?.().catch(() => false)
}
