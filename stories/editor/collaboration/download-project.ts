import { type Person, tokenOf } from './person.ts'

/** A project as the server has it in a file. */
export interface DownloadedProject {
  readonly bytes: Uint8Array
  /** What the bytes are up to: a store that starts with them fetches only what has changed since. */
  readonly position: string | undefined
}

export interface DownloadProgress {
  /** In bytes. */
  readonly loaded: number
  /** In bytes; undefined where the server doesn't say. */
  readonly total: number | undefined
}

/**
 * Loads a database of the server as a file: for a project of this size many times as fast as row by row. Undefined where
 * the server has no such file for this person; rejects where the server can't be reached, or breaks off.
 */
export async function downloadProject(
  database: string,
  me: Person,
  onProgress: (progress: DownloadProgress) => void,
): Promise<DownloadedProject | undefined> {
  const response = await fetch(`${location.origin}/v1/databases/${encodeURIComponent(database)}/export`, {
    headers: { authorization: `Bearer ${tokenOf(me)}` },
  })
  if (!response.ok || !response.body) return undefined
  const length = Number(response.headers.get('content-length'))
  // Of a compressed body the length says nothing of what comes out.
  const total = length > 0 && !response.headers.has('content-encoding') ? length : undefined
  const chunks: Uint8Array[] = []
  let loaded = 0
  const reader = response.body.getReader()
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    chunks.push(read.value)
    loaded += read.value.length
    onProgress({ loaded, total })
  }
  const bytes = new Uint8Array(loaded)
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return { bytes, position: response.headers.get('rowcast-position') ?? undefined }
}
