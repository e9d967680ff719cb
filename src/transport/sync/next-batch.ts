import { PIECE_LENGTH } from '../parts/index.ts'
import { byteLength } from '../protocol/byte-length.ts'
import { formatMessage } from '../protocol/parse-message.ts'
import type { WelcomeMessage } from '../protocol/messages.ts'
import type { Outbox, Waiting } from './outbox.ts'

/** Transactions that are on their way at once; more wait their turn. */
const MAX_IN_FLIGHT = 5_000
/** Transactions of one message. */
const MAX_TOGETHER = 500
/** Bytes of one message, unless a single transaction has more. */
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
    const bytes = byteLength(formatMessage({ type: 'transact', n: 0, transactions: [waiting.wire] }))
    const isFull = batch.length > 0 && size + bytes > Math.min(most, MESSAGE_SIZE)
    // One transaction may always be on its way, as large as it is allowed to be.
    const isEnough = outbox.inFlightBytes > 0 && outbox.inFlightBytes + bytes > limits.messageBytes
    const isOther = batch.length > 0 && waiting.together !== batch[0]!.together
    if (bytes <= most && (isFull || isEnough || isOther)) {
      outbox.putBack(taken.slice(n))
      break
    }
    if (bytes > most)
      tooLarge.push({
        id: waiting.id,
        reason: `it takes ${bytes} bytes, the server allows ${most}: split it into several transactions`,
      })
    else {
      batch.push(waiting)
      outbox.weigh(waiting, bytes)
      size += bytes
    }
  }
  const isLong = size > PIECE_LENGTH
  for (const waiting of batch) waiting.together = isLong ? batch : undefined
  return { batch, tooLarge }
}

/** What a batch is known by: another one has another name. */
export function nameOf(batch: readonly Waiting[]): string {
  return `${batch.length} ${batch[0]!.id} ${batch.at(-1)!.id}`.slice(0, 128)
}
