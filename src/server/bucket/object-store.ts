/** An object, as a listing tells of it. */
export interface ObjectInfo {
  readonly key: string
  /** Bytes. */
  readonly size: number
}

/** Of someone who waits for the store. */
export interface ObjectOptions {
  /** Ends the waiting; what was asked for may be done all the same. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Objects by key, in a bucket that all servers have: strongly consistent, and one that is to be made anew is made by
 * exactly one of all who try. Keys are relative to whatever part of the bucket it is.
 *
 * A call that can't be told of the store for a while (it refuses, times out, loses answers) is made again until it is
 * known. Throws BucketError where the store refuses for good, or says nothing for longer than is waited.
 */
export interface ObjectStore {
  /** Its address, for messages. */
  readonly address: string
  /** The bytes of an object; `undefined` where there is none. */
  get(key: string, options?: ObjectOptions): Promise<Uint8Array<ArrayBuffer> | undefined>
  /** Writes an object, or replaces it. */
  put(key: string, bytes: Uint8Array, options?: ObjectOptions): Promise<void>
  /**
   * Writes an object that is not there yet: whether it is there now as given, `false` where another one is. No two writers
   * give the same bytes: that is how one whose answer was lost knows its own. It tries for as long as it takes: only the
   * signal ends it, or a refusal for good, and then nobody knows whether the object will be there.
   */
  create(key: string, bytes: Uint8Array, options?: ObjectOptions): Promise<boolean>
  /** The objects whose keys begin with a prefix, in the order of their keys' UTF-8; those after a key only, if one is given. */
  list(prefix: string, options?: ObjectOptions & { readonly after?: string }): AsyncIterable<ObjectInfo>
  /** Deletes objects, those that are there. */
  delete(keys: readonly string[], options?: ObjectOptions): Promise<void>
}
