type Awaitable<T> = T | Promise<T>

/** A folder of files, as Node and OPFS both have it: what `Generations` is written on. */
export interface Disk {
  /** The names of the files. */
  list(): Awaitable<readonly string[]>
  /** Opens a file for reading and writing, and makes it if it is missing. */
  open(name: string): Awaitable<DiskFile>
  /** How many bytes are there under this name now, `undefined` where no file is. */
  sizeOf(name: string): Awaitable<number | undefined>
  /** Removes a file, if it is there. It must not be open. */
  remove(name: string): Awaitable<void>
  /** Makes durable which files there are. */
  sync(): Awaitable<void>
}

/** An open file. */
export interface DiskFile {
  /** In bytes. */
  size(): Awaitable<number>
  /** The bytes from one place up to another or to the end of the file. */
  read(from: number, to: number): Awaitable<Uint8Array>
  /** Writes all the bytes at a place, or throws. */
  write(bytes: Uint8Array, at: number): Awaitable<void>
  truncate(size: number): Awaitable<void>
  /** Makes durable what was written. */
  flush(): Awaitable<void>
  close(): Awaitable<void>
}
