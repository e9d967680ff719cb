import { SqlError } from '../errors/index.ts'

const magic = 'SQLite format 3\0'
const headerLength = 100
/** Offsets of the file format's versions for writing and reading: 1 rollback journal, 2 WAL, higher: not to be written. */
const writeVersion = 18
const readVersion = 19

/**
 * Refuses bytes that can't be a whole SQLite file, before SQLite meets them in the middle of a query. Throws `SqlError`.
 * What passes may still be damaged inside: SQLite itself finds that.
 * Of a file that is not in memory, its first 100 bytes will do, with its size.
 */
export function assertDatabaseFile(bytes: Uint8Array, size: number = bytes.length): void {
  if (size === 0) {
    throw new SqlError(
      'the database file is empty (0 bytes): check that it was loaded, or leave it out to start with a new database',
    )
  }
  const start = String.fromCharCode(...bytes.subarray(0, magic.length))
  if (start !== magic.slice(0, bytes.length)) {
    throw new SqlError(
      `not a SQLite database: the file does not begin with 'SQLite format 3' (${size} bytes): ` +
        'check that the address gives the .db file itself, not an error page, and that it is not compressed or encrypted',
    )
  }
  const expected = bytes.length < headerLength ? headerLength : sizeByHeader(bytes)
  if (size < expected) {
    throw new SqlError(
      `the database file is truncated: ${size} of ${expected} bytes: load it again, or use another copy`,
    )
  }
}

/**
 * The file, for a database without WAL's shared memory (sql.js has none). The file is whole without its `-wal`,
 * so only the versions in the header are changed, in a copy.
 */
export function withRollbackJournal(bytes: Uint8Array): Uint8Array {
  return withVersions(bytes, 1)
}

/** A copy of a file that SQLite reads, and refuses to write: the file format's own mark for it. */
export function asReadOnly(bytes: Uint8Array): Uint8Array {
  return withVersions(bytes, 3)
}

/** What to throw where SQLite could not open a file: its own error, with advice where the file is damaged inside. */
export function openingFailure(error: unknown): unknown {
  if (!(error instanceof SqlError) || !/malformed|not a database|unable to open/.test(error.message)) return error
  return new SqlError(`the database file is damaged (${error.message}): load it again, or use another copy`, {
    cause: error.cause,
  })
}

function withVersions(bytes: Uint8Array, write: number): Uint8Array {
  if (bytes[writeVersion] === write && bytes[readVersion] === 1) return bytes
  const copy = bytes.slice()
  copy[writeVersion] = write
  copy[readVersion] = 1
  return copy
}

/** The size that the header states, 0 where a very old writer left it out of date. */
function sizeByHeader(bytes: Uint8Array): number {
  const header = new DataView(bytes.buffer, bytes.byteOffset, headerLength)
  const pageSize = header.getUint16(16) === 1 ? 65_536 : header.getUint16(16)
  const pageCountIsValid = header.getUint32(24) === header.getUint32(92)
  return pageCountIsValid ? pageSize * header.getUint32(28) : 0
}
