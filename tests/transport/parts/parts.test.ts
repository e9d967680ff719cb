import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  formatPiece,
  parsePiece,
  PartReceiver,
  PartSender,
  PIECE_LENGTH,
  PieceError,
  piecesOf,
  sourceOf,
  type Received,
  type Transfer,
} from '../../../src/transport/parts/index.ts'

/** A connection that carries frames one by one, when told to. */
class Wire {
  readonly frames: string[] = []
  buffered = 0

  send(frame: string): void {
    this.frames.push(frame)
  }
}

/** What arrives at the other side: messages, in order, over any number of connections. */
class Reader {
  readonly messages: string[] = []
  readonly received: Received[] = []
  readonly parts = new PartReceiver()
  #expected = 0

  connect(): Received | undefined {
    this.#expected = 0
    this.received.length = 0
    return this.parts.unfinished
  }

  take(frame: string): void {
    const piece = parsePiece(frame)
    if (piece) {
      expect(piece.n).toBe(this.#expected)
      const message = this.parts.take(piece)
      if (message !== undefined) this.#message(`{"n":${this.#expected},${message}`)
      const { acknowledgement } = this.parts
      if (acknowledgement) this.received.push(acknowledgement)
      return
    }
    const message = JSON.parse(frame) as { n: number; type: string; transfer: string; from: number; bytes: number }
    if (message.type === 'begin') {
      expect(message.n).toBe(this.#expected++)
      this.parts.begin(message)
    } else if (message.type === 'end') {
      expect(message.n).toBe(this.#expected++)
      this.parts.end(message)
    } else this.#message(frame)
  }

  #message(text: string): void {
    const { n, text: said } = JSON.parse(text) as { n: number; text: string }
    expect(n).toBe(this.#expected++)
    this.messages.push(said)
  }
}

const rest = (text: string): string => `"text":${JSON.stringify(text)}}`
const fail = (error: unknown): void => {
  throw error
}

describe('long messages in pieces', () => {
  test('are whole again, whatever characters they have', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 40 }), { maxLength: 8 }), (texts) => {
        const text = texts.map((one) => one.repeat(1_000)).join('')
        const pieces = [...piecesOf(text)].map((piece) => parsePiece(formatPiece(piece, 0))!)
        expect(pieces.map((piece) => piece.text).join('')).toBe(text)
        expect(pieces.map(({ ends }) => ends)).toEqual(pieces.map((_, n) => n === pieces.length - 1))
        for (const piece of pieces) {
          expect(piece.text.length).toBeLessThanOrEqual(PIECE_LENGTH)
          // Within a character UTF-8 would lose half of it.
          if (text.isWellFormed()) expect(piece.text.isWellFormed()).toBe(true)
        }
      }),
    )
  })

  test('arrive once and in order, however often the connection breaks', () => {
    const message = fc.tuple(fc.integer({ min: 1, max: 60_000 }), fc.boolean())
    const cut = fc.record({
      after: fc.integer({ min: 0, max: 30 }),
      lostAcknowledgements: fc.integer({ min: 0, max: 4 }),
    })
    fc.assert(
      fc.property(
        fc.array(message, { minLength: 1, maxLength: 6 }),
        fc.array(cut, { maxLength: 6 }),
        (lengths, cuts) => {
          const texts = lengths.map(([length], n) => `${n}:${'x'.repeat(length)}`)
          const reader = new Reader()
          let suspended: Transfer | undefined
          let settled = 0
          for (const { after, lostAcknowledgements } of [...cuts, { after: Infinity, lostAcknowledgements: 0 }]) {
            const wire = new Wire()
            const sender = new PartSender(wire, { idle: () => undefined, failed: fail })
            sender.usePieces()
            const unfinished = reader.connect()
            // As the parties of the protocol do: what was whole is not sent again, what was not is gone on with.
            if (suspended && unfinished?.transfer === suspended.id) {
              expect(suspended.resume(unfinished.pieces)).toBe(true)
              sender.resume(suspended)
              settled = Number(suspended.id) + 1
            } else {
              reader.parts.forget()
              settled = reader.messages.length
            }
            for (let n = settled; n < texts.length; n++) sender.send(rest(texts[n]!), () => String(n))
            let taken = 0
            while (wire.frames.length > 0 && taken < after) {
              reader.take(wire.frames.shift()!)
              taken++
              if (reader.received.length > lostAcknowledgements)
                for (const { transfer, pieces } of reader.received.splice(0)) sender.acknowledge(transfer, pieces)
            }
            suspended = sender.close()
          }
          expect(reader.messages).toEqual(texts)
        },
      ),
    )
  })

  test('what says that one lives goes between the pieces, all else waits behind them', () => {
    const wire = new Wire()
    const sender = new PartSender(wire, { idle: () => undefined, failed: fail })
    sender.usePieces()
    const reader = new Reader()
    sender.send(rest('long'.repeat(PIECE_LENGTH * 30)), () => '0')
    sender.send(rest('behind'), () => '1')
    sender.urgent(rest('alive'))
    expect(wire.frames.length).toBeLessThan(70)
    while (wire.frames.length > 0) {
      reader.take(wire.frames.shift()!)
      for (const { transfer, pieces } of reader.received.splice(0)) sender.acknowledge(transfer, pieces)
    }
    expect(reader.messages.map((text) => text.slice(0, 6))).toEqual(['alive', 'longlo', 'behind'])
  })

  test('messages are made as the other side takes them', async () => {
    const wire = new Wire()
    const sender = new PartSender(wire, { idle: () => undefined, failed: fail })
    sender.usePieces()
    const reader = new Reader()
    let made = 0
    sender.stream('0', 1_000_000, {
      next: async () => (made < 1_000 ? rest(`${made++}`.padEnd(1_000, 'x')) : undefined),
    })
    const turns = async (): Promise<void> => {
      for (let n = 0; n < 3_000; n++) await Promise.resolve()
    }
    await turns()
    expect(made).toBeLessThan(70)
    for (let n = 0; n < 1_000 && reader.messages.length < 1_000; n++) {
      while (wire.frames.length > 0) {
        reader.take(wire.frames.shift()!)
        for (const { transfer, pieces } of reader.received.splice(0)) sender.acknowledge(transfer, pieces)
      }
      await turns()
    }
    expect(reader.messages.length).toBe(1_000)
    expect(sender.busy).toBe(false)
  })

  test('of a source that fails the sender hears', async () => {
    const failed: unknown[] = []
    const sender = new PartSender(new Wire(), { idle: () => undefined, failed: (error) => failed.push(error) })
    sender.usePieces()
    sender.stream('0', 1, { next: () => Promise.reject(new Error('gone')) })
    await expect.poll(() => failed.length).toBe(1)
  })

  test('to one that knows no pieces every message goes whole', () => {
    const wire = new Wire()
    const sender = new PartSender(wire, { idle: () => undefined, failed: fail })
    const text = 'long'.repeat(PIECE_LENGTH)
    sender.send(rest(text), () => '0')
    sender.stream('1', 1, sourceOf([rest(text), rest('b')]))
    sender.send(rest('c'), () => '2')
    expect(wire.frames.map((frame) => (JSON.parse(frame) as { n: number }).n)).toEqual([0, 1, 2, 3])
    expect(sender.close()).toBeUndefined()
  })

  /** What goes out of two transfers after one another, each of a message of three pieces. */
  function framesOfTwo(): readonly string[] {
    const wire = new Wire()
    const sender = new PartSender(wire, { idle: () => undefined, failed: fail })
    sender.usePieces()
    for (const id of ['0', '1']) {
      sender.send(rest(id.repeat(PIECE_LENGTH * 2 + 1)), () => id)
      sender.acknowledge(id, 3)
    }
    expect(wire.frames.length).toBe(10)
    return wire.frames
  }

  /** Whether all frames are taken, as a party of the protocol takes them. */
  function areTaken(frames: readonly string[]): boolean {
    const reader = new Reader()
    try {
      for (const frame of frames) reader.take(frame)
      return true
    } catch {
      return false
    }
  }

  test('one that is lost, doubled or late is noticed at the next, and so are two of these', () => {
    const frames = framesOfTwo()
    const last = frames.length - 1
    expect(areTaken(frames)).toBe(true)
    const lost = frames.slice(0, last).map((_, n) => frames.toSpliced(n, 1))
    const doubled = frames.map((frame, n) => frames.toSpliced(n, 0, frame))
    const swapped = frames.slice(0, last).map((frame, n) => frames.toSpliced(n, 2, frames[n + 1]!, frame))
    // What the numbers of messages alone don't show: one comes twice, and another one never.
    const both = frames.flatMap((frame, n) =>
      frames
        .slice(0, last)
        .flatMap((_, m) => (m === n ? [] : [frames.toSpliced(n, 0, frame).toSpliced(m > n ? m + 1 : m, 1)])),
    )
    const stale = frames.flatMap((frame, n) =>
      frames.slice(n + 1, last).map((_, m) => frames.toSpliced(n + 1 + m, 1, frame)),
    )
    for (const changed of [...lost, ...doubled, ...swapped, ...both, ...stale])
      expect(areTaken(changed), changed.map((frame) => frame.slice(0, 40)).join('\n')).toBe(false)
  })

  test('more than has gone out can not be here', () => {
    const sender = new PartSender(new Wire(), { idle: () => undefined, failed: fail })
    sender.usePieces()
    expect(() => sender.acknowledge('0', 1)).toThrow(PieceError)
    sender.send(rest('x'.repeat(PIECE_LENGTH * 2 + 1)), () => '0')
    expect(() => sender.acknowledge('0', 4)).toThrow(PieceError)
    expect(() => sender.acknowledge('1', 1)).toThrow(PieceError)
    sender.acknowledge('0', 3)
    expect(sender.busy).toBe(false)
    // Said again it is nothing new.
    sender.acknowledge('0', 3)
  })

  test('what has not begun, or is not whole, does not end', () => {
    const receiver = new PartReceiver()
    expect(() => receiver.end({ transfer: '0' })).toThrow(PieceError)
    expect(() => receiver.take({ number: 0, text: 'a', ends: true })).toThrow(PieceError)
    receiver.begin({ transfer: '0', from: 0, bytes: 2 })
    expect(() => receiver.end({ transfer: '1' })).toThrow(PieceError)
    receiver.take({ number: 0, text: 'a', ends: false })
    expect(() => receiver.end({ transfer: '0' })).toThrow(PieceError)
    expect(receiver.take({ number: 1, text: 'b', ends: true })).toBe('ab')
    receiver.end({ transfer: '0' })
    expect(receiver.unfinished).toBeUndefined()
  })
})
