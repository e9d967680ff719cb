/** Whether a value is the bytes of a file, of this realm or another. */
export function isBytes(data: unknown): data is Uint8Array | ArrayBuffer {
  return data instanceof Uint8Array || Object.prototype.toString.call(data) === '[object ArrayBuffer]'
}

/** A file's bytes, however they came. */
export function toBytes(bytes: Uint8Array | ArrayBuffer): Uint8Array {
  return bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes)
}
