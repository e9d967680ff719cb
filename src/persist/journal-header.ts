import { crc32 } from './crc32.ts'

/** The start of a journal. It is written last: with it, the journal and the snapshot beside it become the current ones. */
export interface JournalHeader {
  readonly generation: number
  /** Of the snapshot, `undefined` without one. */
  readonly snapshot: { readonly length: number; readonly checksum: number } | undefined
}

export const HEADER_LENGTH = 32

const magic = new TextEncoder().encode('rowcast1')

/** 0 magic, 8 generation, 12 whether there is a snapshot, 16 its length, 24 its checksum, 28 the checksum of all this. */
export function encodeHeader({ generation, snapshot }: JournalHeader): Uint8Array {
  const bytes = new Uint8Array(HEADER_LENGTH)
  const view = new DataView(bytes.buffer)
  bytes.set(magic)
  view.setUint32(8, generation)
  view.setUint32(12, snapshot ? 1 : 0)
  view.setFloat64(16, snapshot?.length ?? 0)
  view.setUint32(24, snapshot?.checksum ?? 0)
  view.setUint32(28, crc32(bytes.subarray(0, 28)))
  return bytes
}

/** The header, or `undefined` where it was never written whole. */
export function decodeHeader(bytes: Uint8Array): JournalHeader | undefined {
  if (bytes.length < HEADER_LENGTH || magic.some((byte, at) => bytes[at] !== byte)) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER_LENGTH)
  if (view.getUint32(28) !== crc32(bytes.subarray(0, 28))) return undefined
  const snapshot = view.getUint32(12) === 0 ? undefined : { length: view.getFloat64(16), checksum: view.getUint32(24) }
  return { generation: view.getUint32(8), snapshot }
}

/** Whether the start of a journal was never written whole: it is short, or has zeros where a header has none, as a rule. */
export function isTornHeader(bytes: Uint8Array): boolean {
  return bytes.length < HEADER_LENGTH || bytes.subarray(0, magic.length).includes(0) || bytes.subarray(28, 32).includes(0)
}
