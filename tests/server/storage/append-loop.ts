import { writeSync } from 'node:fs'
import { LogConflictError } from '../../../src/server/log-errors.ts'
import type { Log } from '../../../src/server/log.ts'

/**
 * Appends one to five entries at a time until the log has `until` entries, and reports each on standard output, as a
 * line of JSON, once its append has resolved. Runs in a process of its own, which may be killed.
 */
export async function appendLoop(log: Log, tag: string, until: number): Promise<void> {
  let made = 0
  let { last } = await log.bounds()
  while (last < until) {
    const payloads = Array.from({ length: 1 + (made % 5) }, (_, n) => `${tag} ${made + n}`)
    try {
      await log.append(payloads, last)
    } catch (error) {
      if (!(error instanceof LogConflictError)) throw error
      last = error.last
      continue
    }
    made += payloads.length
    const lines = payloads.map((payload, n) => `${JSON.stringify({ sequence: last + 1 + n, payload })}\n`)
    last += payloads.length
    // At once and not buffered: what was reported must be out before the next append.
    writeSync(1, lines.join(''))
  }
  await log.close()
}
