import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  formatPiece,
  parsePiece,
  PartReceiver,
  PartSender,
  PIECE_LENGTH,
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
      const message = this.parts.take(piece)
      if (message !== undefined) this.#message(`{"n":${this.#expected},${message}`)
      const { acknowledgement } = this.parts
      if (acknowledgement) this.received.push(acknowledgement)
      return
    }
    const message = JSON.parse(frame) as { type: string; transfer: string; from: number; bytes: number }
    if (message.type === 'begin') {
      this.#expected++
      this.parts.begin(message)
    } else if (message.type === 'end') {
      this.#expected++
      this.parts.end()
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
        const pieces = [...piecesOf(text)].map((piece) => parsePiece(formatPiece(piece))!)
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
})
