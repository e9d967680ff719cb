import { formatMessage } from '../protocol/parse-message.ts'
import type { WelcomeMessage } from '../protocol/messages.ts'
import type { Outbox, Waiting } from './outbox.ts'

/** Transactions that are on their way at once; more wait their turn. */
const MAX_IN_FLIGHT = 5_000
/** Transactions of one message. */
const MAX_TOGETHER = 500
/** Characters of one message, unless a single transaction has more. */
const MESSAGE_SIZE = 512 * 1024
/** What a message has around its transactions. */
const ENVELOPE = 1_000

/** What goes into the next message, and what fits into none. Nothing where enough is on its way. */
export function nextBatch(
  outbox: Outbox,
  limits: WelcomeMessage['limits'],
): {
  readonly batch: readonly Waiting[]
  readonly tooLarge: readonly { readonly id: string; readonly reason: string }[]
} {
  const maxInFlight = Math.min(MAX_IN_FLIGHT, Math.max(1, Math.floor(limits.transactions / 2)))
  const taken = outbox.take(Math.min(MAX_TOGETHER, maxInFlight - outbox.inFlight))
  const most = limits.messageBytes - ENVELOPE
  const batch: Waiting[] = []
  const tooLarge: { id: string; reason: string }[] = []
  let size = 0
  for (const [n, waiting] of taken.entries()) {
    const { length } = formatMessage({ type: 'transact', n: 0, transactions: [waiting.wire] })
    if (batch.length > 0 && size + length > Math.min(most, MESSAGE_SIZE)) {
      outbox.putBack(taken.slice(n))
      break
    }
    if (length > most)
      tooLarge.push({
        id: waiting.id,
        reason: `it takes ${length} characters, the server allows ${most}: split it into several transactions`,
      })
    else {
      batch.push(waiting)
      size += length
    }
  }
  return { batch, tooLarge }
}
