/** What `stat` tells. */
export interface FileStat {
  readonly kind: 'file' | 'directory'
  /** In bytes, 0 for a folder. */
  readonly size: number
  /** When a file was last written, in milliseconds since 1970; `undefined` for a folder. */
  readonly mtimeMs: number | undefined
}

/** What can be written: text becomes UTF-8. */
export type FileData = string | Blob | Uint8Array<ArrayBuffer> | ArrayBuffer

/**
 * Files by path, in the manner of Node's `fs/promises`. Paths are absolute with or without the first slash. What fails
 * rejects with `FileError`, which has Node's code, and changes nothing: a write replaces a file only when it is whole.
 *
 * Any number of tabs and workers may use the same files: writes to a file come one after the other (an append never loses
 * another's), a rename or removal waits for the writes under way and holds up new ones, and a read sees a file as it was
 * before or after a write.
 */
export interface OpfsFiles {
  readFile(path: string): Promise<Uint8Array<ArrayBuffer>>
  readFile(path: string, encoding: 'utf8'): Promise<string>
  /** Replaces a file, or makes it in a folder that exists. */
  writeFile(path: string, data: FileData): Promise<void>
  /** Writes at the end of a file, or makes it. OPFS copies the file for it: for logs that grow large use many files. */
  appendFile(path: string, data: FileData): Promise<void>
  /** Makes a folder: `EEXIST` where one is. With `recursive` also those above it, and one that is there is fine. */
  mkdir(path: string, options?: { recursive?: boolean }): Promise<void>
  /** The names in a folder, sorted. */
  readdir(path: string): Promise<string[]>
  stat(path: string): Promise<FileStat>
  /** Whether a file or folder is there. */
  exists(path: string): Promise<boolean>
  /** Renames or moves; a file replaces a file. A folder is copied, then removed: a crash in between leaves both. */
  rename(from: string, to: string): Promise<void>
  /** Removes a file; with `recursive` also a folder with all in it. With `force` nothing need be there. */
  rm(path: string, options?: { recursive?: boolean; force?: boolean }): Promise<void>
  /** A file as it is now; the stream fails if the file is written before it is read to the end. */
  readStream(path: string): Promise<ReadableStream<Uint8Array<ArrayBuffer>>>
  /** Takes what a file is to hold; it is there once the stream is closed, unchanged if that is aborted. Others wait. */
  writeStream(path: string): Promise<WritableStream<FileData>>
}
