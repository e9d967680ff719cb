import type { Checksums } from './checksums.ts'

/** An object as it is stored. */
export interface StoredObject {
  readonly body: Buffer
  /** In its quotes. */
  readonly etag: string
  readonly modifiedMs: number
  /** What came with it and goes with it: Content-Type, x-amz-meta-… */
  readonly headers: Readonly<Record<string, string>>
  readonly checksums: Checksums
}

/** Where a bucket's objects are kept beside the memory. */
export interface ObjectFiles {
  put(key: string, object: StoredObject): void
  delete(key: string): void
  /** Everything that is there. */
  readAll(): Iterable<readonly [key: string, object: StoredObject]>
}

/** A part of a listing: an object, or what all keys up to a delimiter begin with. */
export type Listed = { readonly key: string; readonly object: StoredObject } | { readonly commonPrefix: string }

export interface ListOptions {
  readonly prefix: string
  /** Empty for none. */
  readonly delimiter: string
  /** A key, or where the last page ended. */
  readonly after: { readonly key: string } | { readonly position: string } | undefined
  readonly limit: number
}

/** What sorts behind all that begin with the same bytes: above any byte. */
const BEHIND = '\u0100'

/** The objects of a bucket, in the order of their keys' UTF-8 bytes. */
export class Bucket {
  readonly createdMs: number
  readonly #objects = new Map<string, StoredObject>()
  /** Keys as texts of one character a byte, so that comparing texts compares bytes. */
  readonly #order: string[] = []
  readonly #files: ObjectFiles | undefined

  constructor(createdMs: number, files?: ObjectFiles) {
    this.createdMs = createdMs
    this.#files = files
    for (const [key, object] of files?.readAll() ?? []) this.#keep(key, object)
  }

  get size(): number {
    return this.#objects.size
  }

  get(key: string): StoredObject | undefined {
    return this.#objects.get(key)
  }

  put(key: string, object: StoredObject): void {
    this.#files?.put(key, object)
    this.#keep(key, object)
  }

  delete(key: string): void {
    if (!this.#objects.delete(key)) return
    this.#order.splice(this.#find(toBytes(key)), 1)
    this.#files?.delete(key)
  }

  /** A page of a listing, and the position at which the next begins if there is one. */
  list(options: ListOptions): { readonly listed: readonly Listed[]; readonly next: string | undefined } {
    const prefix = toBytes(options.prefix)
    const delimiter = toBytes(options.delimiter)
    const listed: Listed[] = []
    let position = findStart(options.after)
    let at = Math.max(this.#find(prefix), this.#findBehind(position))
    for (;;) {
      const bytes = this.#order[at]
      if (!bytes?.startsWith(prefix)) return { listed, next: undefined }
      if (listed.length >= options.limit) return { listed, next: options.limit === 0 ? undefined : position }
      const found = delimiter === '' ? -1 : bytes.indexOf(delimiter, prefix.length)
      if (found < 0) {
        listed.push(this.#listObject(fromBytes(bytes)))
        position = bytes
      } else {
        const commonPrefix = bytes.slice(0, found + delimiter.length)
        listed.push({ commonPrefix: fromBytes(commonPrefix) })
        position = commonPrefix + BEHIND
      }
      at = this.#findBehind(position)
    }
  }

  #listObject(key: string): Listed {
    const object = this.#objects.get(key)
    if (object === undefined) throw new Error(`The order of keys has ${key}, of which there is no object`)
    return { key, object }
  }

  #keep(key: string, object: StoredObject): void {
    if (!this.#objects.has(key)) {
      const bytes = toBytes(key)
      this.#order.splice(this.#find(bytes), 0, bytes)
    }
    this.#objects.set(key, object)
  }

  #findBehind(position: string | undefined): number {
    if (position === undefined) return 0
    const at = this.#find(position)
    return this.#order[at] === position ? at + 1 : at
  }

  /** The first key that is not below. */
  #find(bytes: string): number {
    let low = 0
    let high = this.#order.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#order[middle] ?? '') < bytes) low = middle + 1
      else high = middle
    }
    return low
  }
}

function findStart(after: ListOptions['after']): string | undefined {
  if (after === undefined) return undefined
  return 'key' in after ? toBytes(after.key) : after.position
}

function toBytes(key: string): string {
  return Buffer.from(key).toString('latin1')
}

function fromBytes(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString()
}
