import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { Acknowledgements } from './acknowledgements.ts'

/** What goes through at once, in bytes. */
const CHUNK_BYTES = 4 * 1024
/** What a timer was late is made up for, up to this. */
const LATE_MS = 100

/** `down` is to the client. */
export type Way = 'down' | 'up'

/** Where a link breaks at an acknowledgement: before its first byte, before its last, or once all of it is through. */
export type AtAcknowledgement = 'before' | 'within' | 'after'

export interface ProxyOptions {
  /** Bytes a second of one direction, which its connections share; any if not given. */
  readonly down?: number
  readonly up?: number
  /** How long each byte is on its way, in milliseconds. */
  readonly delayMs?: number
}

interface Passing {
  readonly client: Socket
  readonly server: Socket
}

/** A slow link to a port of the loopback: bytes are let through at a rate, after a delay, and counted. */
export class ThrottledProxy {
  /** What has been let through, in bytes. */
  readonly bytes: Record<Way, number> = { down: 0, up: 0 }
  /** Connections that have been taken. */
  accepted = 0
  /** What goes this way is lost, until the link is broken. */
  loses: Way | undefined
  #isCut = false
  readonly #options: ProxyOptions
  readonly #passing = new Set<Passing>()
  /** When a direction has let through what it took, as `performance.now` says. */
  readonly #free: Record<Way, number> = { down: 0, up: 0 }
  #cuts: { readonly way: Way; readonly at: number }[] = []
  #acknowledgementCuts: { readonly way: Way; readonly where: AtAcknowledgement; skip: number }[] = []
  readonly #server = createServer((client) => this.#take(client))
  #port = 0
  #target = 0

  private constructor(target: number, options: ProxyOptions) {
    this.#target = target
    this.#options = options
  }

  static async open(target: string | number, options: ProxyOptions = {}): Promise<ThrottledProxy> {
    const proxy = new ThrottledProxy(typeof target === 'number' ? target : Number(new URL(target).port), options)
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve))
    proxy.#port = (proxy.#server.address() as AddressInfo).port
    return proxy
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  /** Breaks what goes through, whenever a direction has let through so many bytes. */
  dropAt(way: Way, ...bytes: readonly number[]): void {
    this.#cuts = bytes.map((at) => ({ way, at }))
  }

  /**
   * Breaks what goes through at an acknowledgement of pieces that goes this way, and so on for each of `cuts`: after
   * `skip` more that are let through.
   */
  dropAtAcknowledgements(
    way: Way,
    ...cuts: readonly { readonly where: AtAcknowledgement; readonly skip: number }[]
  ): void {
    this.#acknowledgementCuts = cuts.map((cut) => ({ way, ...cut }))
  }

  /** Cuts that were asked for and have not come. */
  get cutsLeft(): number {
    return this.#cuts.length + this.#acknowledgementCuts.length
  }

  /** Breaks what goes through. */
  drop(): void {
    for (const { client, server } of this.#passing) {
      client.resetAndDestroy()
      server.resetAndDestroy()
    }
  }

  /** The same, and takes nothing until `restore`. */
  cut(): void {
    this.#isCut = true
    this.drop()
  }

  restore(): void {
    this.#isCut = false
  }

  async close(): Promise<void> {
    this.cut()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }

  #take(client: Socket): void {
    client.on('error', () => client.destroy())
    if (this.#isCut) {
      client.resetAndDestroy()
      return
    }
    this.accepted++
    const server = connect(this.#target, '127.0.0.1')
    server.on('error', () => server.destroy())
    const passing = { client, server }
    this.#passing.add(passing)
    const end = (): void => {
      this.#passing.delete(passing)
      client.destroy()
      server.destroy()
    }
    client.once('close', end)
    server.once('close', end)
    this.#pass(client, server, 'up').then(end, end)
    this.#pass(server, client, 'down').then(() => client.end(), end)
  }

  async #pass(from: Socket, to: Socket, way: Way): Promise<void> {
    const { [way]: rate, delayMs = 0 } = this.#options
    let written: Promise<unknown> = Promise.resolve()
    const acknowledgements = new Acknowledgements()
    for await (const chunk of from as AsyncIterable<Buffer>) {
      for (let at = 0; at < chunk.length; at += CHUNK_BYTES) {
        const part = chunk.subarray(at, at + CHUNK_BYTES)
        if (rate !== undefined) {
          const now = performance.now()
          this.#free[way] = Math.max(this.#free[way], now - LATE_MS) + (part.length / rate) * 1000
          if (this.#free[way] > now) await pause(this.#free[way] - now)
        }
        if (to.destroyed) return
        const due = performance.now() + delayMs
        written = this.#writeAfter(written, due, to, part, way, acknowledgements)
        if (delayMs === 0) await written
      }
    }
    await written
  }

  async #writeAfter(
    before: Promise<unknown>,
    due: number,
    to: Socket,
    part: Buffer,
    way: Way,
    acknowledgements: Acknowledgements,
  ): Promise<void> {
    await before
    const leftMs = due - performance.now()
    if (leftMs > 0) await pause(leftMs)
    if (to.destroyed) return
    const end = this.#endAt(acknowledgements.find(part), way)
    await this.#write(to, part.subarray(0, end), way)
    if (end !== undefined) this.drop()
  }

  /** How much of a part is let through before the link breaks at an acknowledgement in it; `undefined` where it does not. */
  #endAt(found: readonly { readonly begin: number; readonly end: number }[], way: Way): number | undefined {
    for (const { begin, end } of found) {
      const [cut] = this.#acknowledgementCuts
      if (cut?.way !== way) return undefined
      if (cut.skip-- > 0) continue
      this.#acknowledgementCuts.shift()
      return { before: begin, within: end - 1, after: end }[cut.where]
    }
    return undefined
  }

  async #write(to: Socket, part: Buffer, way: Way): Promise<void> {
    if (this.loses === way) return
    this.bytes[way] += part.length
    const isTaken = to.write(part)
    const due = this.#cuts.findIndex((cut) => cut.way === way && this.bytes[way] >= cut.at)
    if (due >= 0) {
      this.#cuts.splice(due, 1)
      this.drop()
    } else if (!isTaken)
      await new Promise<void>((resolve) => {
        to.once('drain', resolve)
        to.once('close', resolve)
      })
  }
}
