import type { JetStreamManager, StreamInfo } from '@nats-io/jetstream'
import { RowcastError } from '../../errors/index.ts'
import { Patience, sha256, sortableNumber, type ObjectStore } from '../bucket/index.ts'
import type { ClaimAttempt, SlotLog, SlotOptions } from '../cluster/slot-log.ts'
import type { NatsConnection, NatsSession } from './nats-connection.ts'
import { NatsError } from './nats-error.ts'
import { codeOf, readFailure, type NatsFailure } from './nats-failure.ts'
import { assertStreamSettings, ENOUGH_REPLICAS, streamSettings } from './stream-settings.ts'

export interface JetStreamSlotLogOptions {
  readonly connection: NatsConnection
  /** Its stream is called `<prefix>-<cluster>-0003`. */
  readonly shard: number
  /** Of all clusters that the servers know; there is one if not given. */
  readonly cluster?: string | undefined
  /** Where records lie that are too large for a message; they are refused without. The prefix ends with a slash. */
  readonly large?: { readonly store: LargeStore; readonly prefix: string } | undefined
  /** Servers that hold the stream; 3 if not given, and where it is relaxed no more than the address names. */
  readonly replicas?: number | undefined
  /** Takes a stream that does not outlive the loss of a server. */
  readonly relaxed?: boolean | undefined
  /** How long servers that don't answer are asked again, in milliseconds; 30 s if not given. */
  readonly patienceMs?: number | undefined
}

export type LargeStore = Pick<ObjectStore, 'get' | 'put' | 'list' | 'delete'>

/** What is published for a record: its bytes, or none and the key of an object. */
interface Message {
  readonly data: Uint8Array
  readonly key: string | undefined
}

/** Why there is no acknowledgement. */
interface Unacknowledged {
  readonly failure: NatsFailure
  readonly cause: unknown
}

interface Asking extends SlotOptions {
  readonly patienceMs?: number
}

const PATIENCE_MS = 30_000
/** Asking costs little, and an election ends at some moment. */
const LONGEST_PAUSE_MS = 200
/**
 * How long an answer is waited for: a record's shortly, as what is written again goes in once, and what is sent takes on a
 * slow line beside; others' twice as long each time, up to the longest.
 */
const ATTEMPT_MS = 1_000
const LONGEST_ATTEMPT_MS = 8_000
const BYTES_PER_MS = 500
/** Of a message, beside the record: headers, in bytes. */
const HEADER_BYTES = 1_024
/** Names the object that a record lies in. */
const OBJECT_HEADER = 'Rowcast-Object'
/** Messages that are deleted at once. */
const DELETED_AT_ONCE = 32
/** There is no such message. */
const NO_MESSAGE = new Set([10037, 10043, 10057])
/** There is a stream of that name with other settings: another server has made it, or somebody. */
const NAME_IN_USE = 10058
/** Servers enough for the replicas are not there, or not there yet. */
const TOO_FEW_SERVERS = new Set([10005, 10074])

/**
 * Slots as the messages of a JetStream stream, by their sequence numbers: a stream of its own, which is made at first use.
 * A message is taken where the stream ends as it expects, or refused (`Nats-Expected-Last-Sequence`). It has no gaps, and
 * what was deleted is never written again. Reads are the leader's, who may be deposed and not know it.
 */
export class JetStreamSlotLog implements SlotLog {
  readonly address: string
  readonly isCurrent = false
  readonly #options: JetStreamSlotLogOptions
  readonly #name: string
  readonly #subject: string
  readonly #replicas: number
  readonly #patienceMs: number
  #opened: Promise<void> | undefined

  /** Throws RowcastError (`options`) for fewer than three replicas, unless it is relaxed. */
  constructor(options: JetStreamSlotLogOptions) {
    const { connection, shard, cluster, relaxed = false, patienceMs = PATIENCE_MS } = options
    const { replicas = relaxed ? Math.min(ENOUGH_REPLICAS, connection.servers) : ENOUGH_REPLICAS } = options
    if (replicas < ENOUGH_REPLICAS && !relaxed)
      throw new RowcastError(
        'options',
        `${replicas} replicas lose what was acknowledged with a server: give ${ENOUGH_REPLICAS} or more, or say that it may be lost (relaxed)`,
      )
    const names = [...(cluster === undefined ? [] : [cluster]), String(shard).padStart(4, '0')]
    this.#name = [connection.prefix, ...names].join('-')
    this.#subject = [connection.prefix, ...names].join('.')
    this.address = [connection.address, ...names].join('-')
    this.#options = options
    this.#replicas = replicas
    this.#patienceMs = patienceMs
  }

  /** Sees that the stream can be had, and is as it has to be. Throws NatsError, or RowcastError (`options`). */
  async ready(options: SlotOptions = {}): Promise<void> {
    await this.#info(options)
  }

  async put(slot: number, bytes: Uint8Array, { signal }: SlotOptions = {}): Promise<boolean> {
    const asking = { signal, patienceMs: Infinity }
    const message = await this.#message(slot, bytes, asking)
    const patience = new Patience(Infinity, LONGEST_PAUSE_MS)
    const behind = new Patience(this.#patienceMs)
    for (let isDoubtful = false; ;) {
      const outcome = await this.#publish(message, slot - 1, signal)
      if (outcome === slot) return true
      if (typeof outcome === 'number')
        throw new RowcastError(
          'log',
          `${this.address} has taken a record as ${outcome} that was to be ${slot}: its servers differ`,
        )
      // An attempt of which nobody knows may have gone in, and may yet: the next one is refused then.
      isDoubtful ||= outcome.failure === 'unknown'
      if (outcome.failure !== 'refused') {
        await patience.again(signal)
        continue
      }
      const there = await this.#read(slot, asking)
      if (there) return isSame(there, message)
      const { first_seq: first, last_seq: last } = (await this.#info(asking)).state
      if (first > slot && !isDoubtful) return false
      if (first > slot) throw new NatsError(`${this.address} has deleted slot ${slot}, and nobody knows what was in it`)
      // What it was refused for may not be committed, or not known to a new leader yet.
      if (!(await behind.again(signal))) throw this.#lost(slot - 1, last)
    }
  }

  async claim({ next, claim }: ClaimAttempt, { signal }: SlotOptions = {}): Promise<void> {
    const patience = new Patience(this.#patienceMs, LONGEST_PAUSE_MS)
    while (true) {
      const outcome = await this.#publish({ data: claim, key: undefined }, undefined, signal)
      if (typeof outcome === 'number') {
        if (outcome < next) throw this.#lost(next - 1, outcome - 1)
        return
      }
      // Nobody knows: reading tells.
      if (outcome.failure !== 'unsent') return
      if (!(await patience.again(signal))) throw this.#failed('claim', outcome.cause)
    }
  }

  async get(slot: number, options: SlotOptions = {}): Promise<Uint8Array | undefined> {
    while (true) {
      const there = await this.#read(slot, options)
      if (there?.key === undefined) return there?.data
      const bytes = await this.#options.large?.store.get(there.key, options)
      if (bytes && there.key.endsWith(sha256(bytes))) return bytes
      // It is deleted after the message that names it.
      if (!(await this.#read(slot, options))) return undefined
      throw new NatsError(
        `slot ${slot} of ${this.address} lies in the object ${there.key}, which is ${bytes ? 'not what was written' : 'not there'}: give the same bucket as when it was written, or restore the object`,
      )
    }
  }

  async slots(after: number, options: SlotOptions = {}): Promise<readonly number[]> {
    const patience = new Patience(this.#patienceMs)
    while (true) {
      const { first_seq: first, last_seq: last, messages, deleted } = (await this.#info(options)).state
      if (last >= after) {
        if (messages === 0) return []
        const from = Math.max(first, after + 1)
        // Absent where there are none.
        const gone = new Set<number>(deleted)
        return Array.from({ length: Math.max(0, last + 1 - from) }, (_, n) => from + n).filter(
          (slot) => !gone.has(slot),
        )
      }
      // A leader that was deposed does not know yet. Any other must know what was acknowledged.
      if (!(await patience.again(options.signal))) throw this.#lost(after, last)
    }
  }

  /**
   * Keeps the last record, and none for what it is: no slot is written again. Message by message, as a server of 2.9.10 that
   * is started again takes a purge up to a number for one of all that the stream had by then.
   */
  async trim(
    before: number,
    _isKept: (bytes: Uint8Array, slot: number) => boolean,
    options: SlotOptions = {},
  ): Promise<void> {
    const { first_seq: first, last_seq: last } = (await this.#info(options)).state
    const seq = Math.min(before, last)
    for (let from = first; from < seq; from += DELETED_AT_ONCE) {
      const some = Array.from({ length: Math.min(DELETED_AT_ONCE, seq - from) }, (_, n) => from + n)
      await Promise.all(some.map((slot) => this.#delete(slot, options)))
    }
    await this.#deleteLarge(seq, options)
  }

  async #delete(slot: number, options: SlotOptions): Promise<void> {
    await this.#manage(
      'trim',
      async ({ streams }) => {
        try {
          await streams.deleteMessage(this.#name, slot, false)
        } catch (error) {
          // It has gone already, as an answer was lost.
          if (!NO_MESSAGE.has(codeOf(error) ?? 0)) throw error
        }
      },
      options,
    )
  }

  /** The objects of slots that are gone, those of records that did not get their slot among them. */
  async #deleteLarge(before: number, options: SlotOptions): Promise<void> {
    const { large } = this.#options
    if (!large) return
    const keys: string[] = []
    for await (const { key } of large.store.list(large.prefix, options)) {
      if (key >= large.prefix + sortableNumber(before)) break
      keys.push(key)
    }
    if (keys.length > 0) await large.store.delete(keys, options)
  }

  /** Puts a record that is too large for a message where the message can name it, before there is one. */
  async #message(slot: number, bytes: Uint8Array, asking: Asking): Promise<Message> {
    const most = await this.#ask('open', ({ connection }) => Promise.resolve(connection.info!.max_payload), asking)
    if (bytes.length + HEADER_BYTES <= most) return { data: bytes, key: undefined }
    const { large } = this.#options
    if (!large)
      throw new NatsError(
        `a record of ${bytes.length} bytes is too large for ${this.address}: give a bucket for such, or let the servers take more (max_payload, which is ${most})`,
      )
    const key = `${large.prefix}${sortableNumber(slot)}-${sha256(bytes)}`
    await large.store.put(key, bytes, asking)
    return { data: new Uint8Array(), key }
  }

  /** One attempt: the slot that it is in, or why that is not known. Throws what each attempt would throw. */
  async #publish(
    { data, key }: Message,
    lastSequence: number | undefined,
    signal: AbortSignal | undefined,
  ): Promise<number | Unacknowledged> {
    try {
      await this.#open(signal)
    } catch (cause) {
      signal?.throwIfAborted()
      if (readFailure(cause) === 'never') throw this.#failed('write to', cause)
      return { failure: 'unsent', cause }
    }
    const publish = async ({ nats, client }: NatsSession): Promise<number> => {
      const headers = nats.transport.headers()
      if (key !== undefined) headers.set(OBJECT_HEADER, key)
      const timeout = ATTEMPT_MS + Math.ceil(data.length / BYTES_PER_MS)
      const expect = lastSequence === undefined ? {} : { lastSequence }
      return (await client.publish(this.#subject, data, { headers, timeout, expect })).seq
    }
    try {
      return await this.#options.connection.ask(publish, signal)
    } catch (cause) {
      signal?.throwIfAborted()
      const failure = readFailure(cause)
      if (failure === 'never') throw this.#failed('write to', cause)
      return { failure, cause }
    }
  }

  async #read(slot: number, asking: Asking): Promise<Message | undefined> {
    const stored = await this.#manage('read', ({ streams }) => streams.getMessage(this.#name, { seq: slot }), asking)
    if (!stored) return undefined
    const key = stored.header.get(OBJECT_HEADER)
    return { data: stored.data, key: key === '' ? undefined : key }
  }

  #info(asking: Asking): Promise<StreamInfo> {
    return this.#manage('list', ({ streams }) => streams.info(this.#name, { deleted_details: true }), asking)
  }

  /** Asks for what may be done twice. */
  #manage<Answer>(verb: string, ask: (manager: JetStreamManager) => Promise<Answer>, asking: Asking): Promise<Answer> {
    return this.#ask(verb, async ({ manage }, timeoutMs) => ask(await manage(timeoutMs)), asking)
  }

  /** Asks until there is an answer. */
  async #ask<Answer>(
    verb: string,
    ask: (session: NatsSession, timeoutMs: number) => Promise<Answer>,
    { signal, patienceMs = this.#patienceMs }: Asking,
  ): Promise<Answer> {
    const patience = new Patience(patienceMs, LONGEST_PAUSE_MS)
    for (let timeoutMs = ATTEMPT_MS; ; timeoutMs = Math.min(2 * timeoutMs, LONGEST_ATTEMPT_MS)) {
      try {
        await this.#open(signal)
        return await this.#options.connection.ask((session) => ask(session, timeoutMs), signal)
      } catch (error) {
        signal?.throwIfAborted()
        if (readFailure(error) !== 'never' && (await patience.again(signal))) continue
        throw this.#failed(verb, error)
      }
    }
  }

  /** Sees that the stream is there, once. One attempt; several servers may try at once. */
  async #open(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted()
    await this.#options.connection.ask(() => (this.#opened ??= this.#makeStream()), signal)
  }

  async #makeStream(): Promise<void> {
    const { connection, relaxed = false } = this.#options
    try {
      const { config } = await connection.ask(async ({ manage }) => this.#findStream(await manage(2 * ATTEMPT_MS)))
      assertStreamSettings(config, this.#subject, { relaxed })
    } catch (error) {
      this.#opened = undefined
      throw error
    }
  }

  async #findStream({ streams }: JetStreamManager): Promise<StreamInfo> {
    try {
      return await streams.info(this.#name)
    } catch (error) {
      if (readFailure(error) !== 'missing') throw error
    }
    try {
      return await streams.add(streamSettings(this.#name, this.#subject, this.#replicas))
    } catch (error) {
      const code = codeOf(error)
      if (code === NAME_IN_USE) return streams.info(this.#name)
      throw error
    }
  }

  #lost(known: number, last: number): RowcastError<'log'> {
    return new RowcastError(
      'log',
      `${this.address} ends at ${last}, though ${known} was acknowledged: its servers have lost records; stop, and restore from the archive`,
    )
  }

  #failed(verb: string, cause: unknown): Error {
    if (cause instanceof RowcastError) return cause
    const { name, message } = cause as Error
    const few = TOO_FEW_SERVERS.has(codeOf(cause) ?? 0)
      ? `: it is to be on ${this.#replicas} servers; start as many, or say that it may be lost with one (relaxed)`
      : ': see that the servers are there, have a majority and JetStream, and let this user make streams, and read, write and delete their messages'
    return new NatsError(`could not ${verb} ${this.address} (${message || name})${few}`, { cause })
  }
}

function isSame(there: Message, written: Message): boolean {
  return there.key === written.key && Buffer.compare(there.data, written.data) === 0
}
