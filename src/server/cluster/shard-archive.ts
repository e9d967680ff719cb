import { randomUUID } from 'node:crypto'
import { promisify } from 'node:util'
import { brotliCompress, brotliDecompress, constants } from 'node:zlib'
import { RowcastError } from '../../errors/index.ts'
import { sortableNumber, type ObjectStore } from '../bucket/index.ts'
import { seal, unseal } from './sealed.ts'
import { lastDigest, type CheckpointState, type DatabaseLog, type Segment, type StateCopy } from './shard-state.ts'

const compress = promisify(brotliCompress)
const decompress = promisify(brotliDecompress)

/** Of brotli, from 0 to 11: twice as fast as gzip's default, and smaller. */
const QUALITY = 4
/** Objects that are written at once. */
const AT_ONCE = 16

/**
 * What has left the tail of a shard's log: the entries of each database as compressed segments,
 * `databases/<name>/log/<id>/<first>-<last>.<id>`, and the state of the shard at a slot as a checkpoint,
 * `<prefix><slot>`. All of it is read back before it counts.
 */
export class ShardArchive {
  readonly #store: ObjectStore
  readonly #prefix: string
  /** What was written of archives that failed. */
  readonly #failed: string[] = []

  /** @param prefix of the keys of checkpoints, with a slash at its end */
  constructor(store: ObjectStore, prefix: string) {
    this.#store = store
    this.#prefix = prefix
  }

  /** Writes the tails as segments, and the state as a checkpoint. */
  async write(copy: StateCopy, signal: AbortSignal): Promise<CheckpointState> {
    const keys: string[] = []
    try {
      return await this.#writeAll(copy, keys, signal)
    } catch (error) {
      this.#failed.push(...keys)
      throw error
    }
  }

  async #writeAll(copy: StateCopy, keys: string[], signal: AbortSignal): Promise<CheckpointState> {
    const { next, digest: history, claim, databases } = copy
    const grown = databases.filter(([, { tail }]) => tail.length > 0)
    for (let from = 0; from < grown.length; from += AT_ONCE)
      await Promise.all(
        grown.slice(from, from + AT_ONCE).map(async ([name, log]) => {
          log.segments = [...log.segments, await this.#writeSegment(name, log, keys, signal)]
        }),
      )
    const state = {
      next,
      digest: history,
      claim,
      databases: databases.map(([name, { tail: _tail, lastPayload: _lastPayload, ...log }]) => {
        const digest = lastDigest({ lastPayload: _lastPayload, digest: log.digest })
        return [name, { ...log, digest }] as const
      }),
    }
    await this.#write(this.#key(next), Buffer.from(JSON.stringify(state)), signal)
    return state
  }

  /** The state that was written at a slot. */
  async read(slot: number, signal: AbortSignal): Promise<CheckpointState | undefined> {
    const body = await this.#read(this.#key(slot), signal)
    return body && (JSON.parse(body.toString()) as CheckpointState)
  }

  /** The payloads of a segment. Throws RowcastError (`log`) where it is gone, or not as it was written. */
  async segment({ key }: Segment, signal: AbortSignal): Promise<readonly string[]> {
    const body = await this.#read(key, signal)
    if (!body) throw new RowcastError('log', `${this.#store.address}${key} is gone: restore it from a copy`)
    const end = body.indexOf('\n')
    let at = end + 1
    return (JSON.parse(body.toString('utf8', 0, end)) as number[]).map((length) =>
      body.toString('utf8', at, (at += length)),
    )
  }

  /** Deletes segments, and what was written of archives that failed. */
  async delete(keys: readonly string[], signal: AbortSignal): Promise<void> {
    const failed = [...this.#failed]
    await this.#store.delete([...keys, ...failed], { signal })
    this.#failed.splice(0, failed.length)
  }

  /** Deletes the checkpoints before a slot. */
  async deleteCheckpoints(before: number, signal: AbortSignal): Promise<void> {
    const keys: string[] = []
    for await (const { key } of this.#store.list(this.#prefix, { signal })) if (key < this.#key(before)) keys.push(key)
    await this.#store.delete(keys, { signal })
  }

  async #writeSegment(
    name: string,
    { id, last, tail }: DatabaseLog,
    keys: string[],
    signal: AbortSignal,
  ): Promise<Segment> {
    const payloads = tail.map((payload) => Buffer.from(payload))
    const lengths = payloads.map(({ length }) => length)
    const first = last - tail.length + 1
    const key = `databases/${name}/log/${id}/${first}-${last}.${randomUUID()}`
    keys.push(key)
    await this.#write(key, Buffer.concat([Buffer.from(`${JSON.stringify(lengths)}\n`), ...payloads]), signal)
    return { key, first, last, bytes: lengths.reduce((sum, length) => sum + length, 0) }
  }

  async #write(key: string, body: Buffer, signal: AbortSignal): Promise<void> {
    const bytes = seal(await compress(body, { params: { [constants.BROTLI_PARAM_QUALITY]: QUALITY } }))
    await this.#store.put(key, bytes, { signal })
    const there = await this.#store.get(key, { signal })
    if (!there || Buffer.compare(there, bytes) !== 0)
      throw new RowcastError(
        'log',
        `${this.#store.address}${key} does not read as it was written: the log stays as it is`,
      )
  }

  async #read(key: string, signal: AbortSignal): Promise<Buffer | undefined> {
    const bytes = await this.#store.get(key, { signal })
    return bytes && decompress(unseal(bytes, this.#store.address + key))
  }

  #key(slot: number): string {
    return this.#prefix + sortableNumber(slot)
  }
}
