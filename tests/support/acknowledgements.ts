/** Of an HTTP upgrade. */
const HEAD_END = '\r\n\r\n'
const RECEIVED = '"type":"received"'
/** As it is in an event, or escaped in the body of a POST. */
const IN_TEXT = /\{(\\?)"n\1":\d+,\1"type\1":\1"received\1"[^}]*\}/g

/** Where something is, in the bytes of one part: from `begin` up to, not including, `end`. */
interface Place {
  readonly begin: number
  readonly end: number
}

/**
 * Finds the acknowledgements of pieces in one direction of a connection, by its bytes: in the frames of a WebSocket, masked
 * or not, and in events and POSTs. One that begins in an earlier part is not told.
 */
export class Acknowledgements {
  #isWebSocket: boolean | undefined
  #head = ''
  /** The beginning of a frame that came in an earlier part. */
  #rest = Buffer.alloc(0)
  /** Bytes of a frame that are still to come. */
  #skip = 0

  find(part: Buffer): Place[] {
    if (this.#isWebSocket === undefined) {
      this.#head += part.toString('latin1')
      const end = this.#head.indexOf(HEAD_END)
      if (end < 0) return []
      this.#isWebSocket = /^upgrade: *websocket/im.test(this.#head.slice(0, end))
      if (this.#isWebSocket) {
        const rest = this.#head.length - end - HEAD_END.length
        return this.#inFrames(part.subarray(part.length - rest), part.length - rest)
      }
    }
    if (this.#isWebSocket) return this.#inFrames(part, 0)
    return Array.from(part.toString('latin1').matchAll(IN_TEXT), ({ index, 0: text }) => ({
      begin: index,
      end: index + text.length,
    }))
  }

  /** @param offset of `part` in what is told */
  #inFrames(part: Buffer, offset: number): Place[] {
    const skipped = Math.min(this.#skip, part.length)
    this.#skip -= skipped
    const bytes = Buffer.concat([this.#rest, part.subarray(skipped)])
    const start = offset + skipped - this.#rest.length
    const found: Place[] = []
    let at = 0
    for (; at + 2 <= bytes.length;) {
      const short = bytes[at + 1]! & 0x7f
      const isMasked = bytes[at + 1]! >= 0x80
      const body = at + 2 + (short === 127 ? 8 : short === 126 ? 2 : 0) + (isMasked ? 4 : 0)
      if (body > bytes.length) break
      const length =
        short === 127 ? Number(bytes.readBigUInt64BE(at + 2)) : short === 126 ? bytes.readUInt16BE(at + 2) : short
      const end = body + length
      if (length < 1_000) {
        if (end > bytes.length) break
        const mask = isMasked ? bytes.subarray(body - 4, body) : undefined
        const text = Buffer.from(bytes.subarray(body, end).map((byte, n) => byte ^ (mask?.[n % 4] ?? 0))).toString()
        if (text.includes(RECEIVED) && start + at >= 0) found.push({ begin: start + at, end: start + end })
      } else if (end > bytes.length) {
        this.#skip = end - bytes.length
        at = bytes.length
        break
      }
      at = end
    }
    this.#rest = bytes.subarray(at)
    return found
  }
}
