/** One connection's part in what waits to be read. */
export interface Reader {
  /** Those of one line wait for the same network. */
  readonly line: object
  /** Bytes that the network has not taken from the line. */
  readonly buffered: number
  /** Bytes that wait here, behind what the line has. */
  readonly queued: number
}

/** What waits to be read by each user, over all their connections. */
export class Unread {
  readonly #most: number
  readonly #readers = new Map<string, Set<Reader>>()

  /** @param most bytes that may wait for one user */
  constructor(most: number) {
    this.#most = most
  }

  /** Until the returned function is called. */
  enter(key: string, reader: Reader): () => void {
    const readers = this.#readers.get(key) ?? new Set<Reader>()
    this.#readers.set(key, readers.add(reader))
    return () => {
      readers.delete(reader)
      if (readers.size === 0 && this.#readers.get(key) === readers) this.#readers.delete(key)
    }
  }

  /** Whether more waits for a user than may, a fair part of it at this reader. The others are looked at only then. */
  isTooMuch(key: string, reader: Reader): boolean {
    const readers = this.#readers.get(key)
    if (!readers || reader.buffered + reader.queued <= this.#most / readers.size) return false
    const lines = new Set<object>()
    let bytes = 0
    for (const { line, buffered, queued } of readers) {
      bytes += queued
      if (!lines.has(line)) bytes += buffered
      lines.add(line)
    }
    return bytes > this.#most
  }
}
