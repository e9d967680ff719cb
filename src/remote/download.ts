import { RowcastError } from '../errors/index.ts'

/** How much of a file has been loaded. */
export interface RemoteProgress {
  /** In bytes, after the transport's own compression was undone. */
  readonly loaded: number
  /** In bytes, of the file itself; `undefined` until its beginning is here, where the server doesn't say. */
  readonly total: number | undefined
}

export interface DownloadOptions {
  readonly onProgress?: ((progress: RemoteProgress) => void) | undefined
  readonly signal?: AbortSignal | undefined
  readonly fetch?: typeof fetch | undefined
}

/**
 * Loads a database file whole. Throws RowcastError with code `aborted` where `signal` ends it, `remote` for anything else,
 * both naming the URL.
 */
export async function download(url: string | URL, options: DownloadOptions): Promise<Uint8Array> {
  assertWanted(url, options.signal)
  const load = options.fetch ?? fetch
  let response: Response
  try {
    response = await load(url, options.signal ? { signal: options.signal } : {})
  } catch (error) {
    throw failure(url, 'could not be loaded', error, options)
  }
  if (!response.ok)
    throw new RowcastError(
      'remote',
      `${String(url)} could not be loaded: the server answered ${response.status} ${response.statusText}`.trim(),
    )
  let total = totalOf(response)
  const chunks: Uint8Array[] = []
  let loaded = 0
  options.onProgress?.({ loaded, total })
  try {
    if (response.body)
      for (let reader = response.body.getReader(), read = await reader.read(); !read.done; read = await reader.read()) {
        chunks.push(read.value)
        if (loaded < HEADER_BYTES) total = lengthOf(chunks) ?? total
        loaded += read.value.length
        if (total !== undefined && loaded > total) total = undefined
        options.onProgress?.({ loaded, total })
      }
  } catch (error) {
    throw failure(url, `broke off after ${loaded} bytes`, error, options)
  }
  if (total !== undefined && loaded < total)
    throw new RowcastError('remote', `${String(url)} broke off after ${loaded} of ${total} bytes`)
  const bytes = new Uint8Array(loaded)
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes
}

/** Throws RowcastError with code `aborted` once `signal` is. */
export function assertWanted(url: string | URL, signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new RowcastError('aborted', `opening ${String(url)} was aborted`, { cause: signal.reason })
}

function failure(url: string | URL, what: string, error: unknown, { signal }: DownloadOptions): RowcastError {
  assertWanted(url, signal)
  const reason = error instanceof Error ? error.message : String(error)
  return new RowcastError('remote', `${String(url)} ${what}: ${reason}`, { cause: error })
}

/** What the server says, where it is of the file: of another origin it is not known whether the body is compressed. */
function totalOf(response: Response): number | undefined {
  const length = response.headers.get('content-length')
  const isKnown = response.type !== 'cors' && response.headers.get('content-encoding') === null
  return length === null || !isKnown ? undefined : Number(length)
}

const MAGIC = 'SQLite format 3\0'
const HEADER_BYTES = 100
/** In a page size: 65,536 does not fit in two bytes. */
const LARGEST_PAGE = 1

/** The length of a SQLite file, by its header (https://sqlite.org/fileformat2.html#the_database_header), once that is here. */
function lengthOf(chunks: readonly Uint8Array[]): number | undefined {
  const header = new Uint8Array(HEADER_BYTES)
  let filled = 0
  for (const chunk of chunks) {
    if (filled === HEADER_BYTES) break
    const part = chunk.subarray(0, HEADER_BYTES - filled)
    header.set(part, filled)
    filled += part.length
  }
  if (filled < HEADER_BYTES || !MAGIC.split('').every((sign, at) => header[at] === sign.charCodeAt(0))) return undefined
  const view = new DataView(header.buffer)
  const pages = view.getUint32(28)
  // Written by an SQLite that keeps no count of pages.
  if (pages === 0 || view.getUint32(24) !== view.getUint32(92)) return undefined
  const size = view.getUint16(16)
  return pages * (size === LARGEST_PAGE ? 65_536 : size)
}
