import { crc32 } from './crc32.ts'

/** Before each record: its length and the checksum of that length and of its bytes, 32 bits each, big-endian. */
const FRAME_LENGTH = 8

/** With the length: whether the record is the first of an append. Neither is set in journals of before there were these. */
const FIRST = 0x8000_0000
const FURTHER = 0x4000_0000
const LENGTH = 0x3fff_ffff

/** What lies in a journal. */
export interface DecodedRecords {
  /** The whole ones, each a copy. */
  readonly records: Uint8Array[]
  /** Where the next one is to go; what lies behind was torn by a crash. */
  readonly end: number
  /** Where something is damaged that was written whole. */
  readonly gaps: readonly Gap[]
}

/** A place in a journal where records are broken. */
export interface Gap {
  /** How many whole records lie before it. */
  readonly before: number
  /** Of what is broken. */
  readonly bytes: number
}

/**
 * Records as they lie in a journal, one after the other.
 *
 * @param settled whether they are known to be flushed before anybody reads them: none of them is ever taken for torn
 */
export function encodeRecords(
  records: readonly Uint8Array[],
  { settled = false }: { readonly settled?: boolean } = {},
): Uint8Array {
  const bytes = new Uint8Array(records.reduce((sum, record) => sum + FRAME_LENGTH + record.length, 0))
  const view = new DataView(bytes.buffer)
  let at = 0
  for (const record of records) {
    view.setUint32(at, (record.length | (settled || at === 0 ? FIRST : FURTHER)) >>> 0)
    view.setUint32(at + 4, checksum(bytes.subarray(at, at + 4), record))
    bytes.set(record, at + FRAME_LENGTH)
    at += FRAME_LENGTH + record.length
  }
  return bytes
}

/**
 * The whole records of a journal. An append begins only once the one before is flushed: what is broken before the last one
 * is damage. The last may be torn by a crash: where it lacks bytes, that and what follows it is none of the journal.
 */
export function decodeRecords(bytes: Uint8Array): DecodedRecords {
  const parts = partsOf(bytes)
  const settled = parts.findLastIndex((part) => part.isFirst)
  const records: Uint8Array[] = []
  const gaps: Gap[] = []
  for (const [n, { record, from, to }] of parts.entries()) {
    if (record) records.push(record.slice())
    else if (n > settled && isTorn(bytes.subarray(from, to))) return { records, end: from, gaps }
    else gaps.push({ before: records.length, bytes: to - from })
  }
  return { records, end: bytes.length, gaps }
}

/** A whole record, or what lies between two. */
interface Part {
  readonly from: number
  readonly to: number
  readonly record?: Uint8Array
  readonly isFirst?: boolean
}

function partsOf(bytes: Uint8Array): Part[] {
  const parts: Part[] = []
  for (let at = 0; at < bytes.length; ) {
    const frame = frameAt(bytes, at) ?? brokenAt(bytes, at)
    parts.push(frame)
    at = frame.to
  }
  return parts
}

/** The whole record at a place, if one begins there. */
function frameAt(bytes: Uint8Array, at: number): Part | undefined {
  if (at + FRAME_LENGTH > bytes.length) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, FRAME_LENGTH)
  const start = view.getUint32(0)
  const to = at + FRAME_LENGTH + (start & LENGTH)
  if (to > bytes.length) return undefined
  const record = bytes.subarray(at + FRAME_LENGTH, to)
  if (view.getUint32(4) !== checksum(bytes.subarray(at, at + 4), record)) return undefined
  return { from: at, to, record, isFirst: (start & FURTHER) === 0 }
}

/** What is broken, up to the next whole record; that record after all where nothing but its length is broken. */
function brokenAt(bytes: Uint8Array, from: number): Part {
  const to = nextFrame(bytes, from)
  if (to - from < FRAME_LENGTH) return { from, to }
  const record = bytes.subarray(from + FRAME_LENGTH, to)
  const written = new DataView(bytes.buffer, bytes.byteOffset + from, FRAME_LENGTH).getUint32(4)
  const start = new Uint8Array(4)
  for (const mark of [FIRST, FURTHER]) {
    new DataView(start.buffer).setUint32(0, (record.length | mark) >>> 0)
    if (checksum(start, record) === written) return { from, to, record, isFirst: mark === FIRST }
  }
  return { from, to }
}

/** Where the next whole record begins: most likely where the broken one would have ended. */
function nextFrame(bytes: Uint8Array, from: number): number {
  if (from + FRAME_LENGTH <= bytes.length) {
    const length = new DataView(bytes.buffer, bytes.byteOffset + from, 4).getUint32(0) & LENGTH
    const next = from + FRAME_LENGTH + length
    if (next === bytes.length || frameAt(bytes, next)) return next
  }
  for (let at = from + 1; at < bytes.length; at += 1) if (frameAt(bytes, at)) return at
  return bytes.length
}

/**
 * Whether a part of the last append never arrived: it is shorter than it says, or there are zeros where a file system has
 * made room and written nothing. (The length has zeros of its own. Records are text, which has none.)
 */
function isTorn(broken: Uint8Array): boolean {
  if (broken.length < FRAME_LENGTH) return true
  const length = new DataView(broken.buffer, broken.byteOffset, 4).getUint32(0) & LENGTH
  return FRAME_LENGTH + length > broken.length || broken[0] === 0 || broken.subarray(3).includes(0)
}

/** With the length, so that zeros, which a file system may leave after a crash, are no empty records. */
function checksum(length: Uint8Array, record: Uint8Array): number {
  return crc32(record, crc32(length))
}
