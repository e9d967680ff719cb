import { fileError } from './file-error.ts'
import { pathOf } from './file-tree.ts'
import type { FileData } from './opfs-files.ts'

/** The stream of a writer who holds a file's lock: it is released when the stream ends, in whichever way. */
export function writeStream(
  writable: FileSystemWritableFileStream,
  names: readonly string[],
  release: () => void,
): WritableStream<FileData> {
  const failed = (error: unknown): never => {
    throw fileError(error, pathOf(names))
  }
  return new WritableStream<FileData>({
    write: (chunk) =>
      writable.write(chunk).catch((error: unknown) => {
        release()
        failed(error)
      }),
    close: () => writable.close().catch(failed).finally(release),
    abort: (reason) => writable.abort(reason).catch(failed).finally(release),
  })
}
