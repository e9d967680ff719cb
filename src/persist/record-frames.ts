import { crc32 } from './crc32.ts'

/** Before each record: its length and the checksum of that length and of its bytes, 32 bits each, big-endian. */
const FRAME_LENGTH = 8

/** Records as they lie in a journal, one after the other. */
export function encodeRecords(records: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(records.reduce((sum, record) => sum + FRAME_LENGTH + record.length, 0))
  const view = new DataView(bytes.buffer)
  let at = 0
  for (const record of records) {
    view.setUint32(at, record.length)
    view.setUint32(at + 4, checksum(bytes.subarray(at, at + 4), record))
    bytes.set(record, at + FRAME_LENGTH)
    at += FRAME_LENGTH + record.length
  }
  return bytes
}

/** The whole records at the start of a journal, each a copy, and where they end: what lies behind was torn. */
export function decodeRecords(bytes: Uint8Array): { records: Uint8Array[]; end: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const records: Uint8Array[] = []
  let at = 0
  while (at + FRAME_LENGTH <= bytes.length) {
    const start = at + FRAME_LENGTH
    const end = start + view.getUint32(at)
    if (end > bytes.length) break
    const record = bytes.subarray(start, end)
    if (view.getUint32(at + 4) !== checksum(bytes.subarray(at, at + 4), record)) break
    records.push(record.slice())
    at = end
  }
  return { records, end: at }
}

/** With the length, so that zeros, which a file system may leave after a crash, are no empty records. */
function checksum(length: Uint8Array, record: Uint8Array): number {
  return crc32(record, crc32(length))
}
