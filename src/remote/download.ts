import { RowcastError } from '../errors/index.ts'

/** How much of a file has been loaded. */
export interface RemoteProgress {
  /** In bytes, after the transport's own compression was undone. */
  readonly loaded: number
  /** In bytes; `undefined` where the server doesn't say, or says it of a compressed body. */
  readonly total: number | undefined
}

export interface DownloadOptions {
  readonly onProgress?: ((progress: RemoteProgress) => void) | undefined
  readonly signal?: AbortSignal | undefined
  readonly fetch?: typeof fetch | undefined
}

/** Loads a file whole. Throws RowcastError with code `remote`, naming the URL. */
export async function download(url: string | URL, options: DownloadOptions): Promise<Uint8Array> {
  const load = options.fetch ?? fetch
  let response: Response
  try {
    response = await load(url, options.signal ? { signal: options.signal } : {})
  } catch (error) {
    throw new RowcastError(
      'remote',
      `${String(url)} could not be loaded: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    )
  }
  if (!response.ok)
    throw new RowcastError(
      'remote',
      `${String(url)} could not be loaded: the server answered ${response.status} ${response.statusText}`.trim(),
    )
  const total = totalOf(response)
  const chunks: Uint8Array[] = []
  let loaded = 0
  options.onProgress?.({ loaded, total })
  try {
    if (response.body)
      for (let reader = response.body.getReader(), read = await reader.read(); !read.done; read = await reader.read()) {
        chunks.push(read.value)
        loaded += read.value.length
        options.onProgress?.({ loaded, total })
      }
  } catch (error) {
    throw new RowcastError(
      'remote',
      `${String(url)} broke off after ${loaded} bytes: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    )
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

function totalOf(response: Response): number | undefined {
  const length = response.headers.get('content-length')
  return length === null || response.headers.get('content-encoding') !== null ? undefined : Number(length)
}
