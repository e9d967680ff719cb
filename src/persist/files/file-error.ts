import { RowcastError } from '../../errors/index.ts'

/** As Node calls them: not there, already there, not a folder, a folder, not empty, not a path, no space, unavailable. */
export type FileErrorCode = 'ENOENT' | 'EEXIST' | 'ENOTDIR' | 'EISDIR' | 'ENOTEMPTY' | 'EINVAL' | 'ENOSPC' | 'ENOSYS'

/** What `opfsFiles` refuses. Nothing was changed. */
export class FileError extends RowcastError<FileErrorCode> {
  override readonly name: string = 'FileError'
  /** The path, normalised. */
  readonly path: string

  constructor(code: FileErrorCode, path: string, message: string, options?: { cause?: unknown }) {
    super(code, `${code}: ${path}: ${message}`, options)
    this.path = path
  }
}

const codes: Readonly<Record<string, readonly [FileErrorCode, string]>> = {
  NotFoundError: ['ENOENT', 'there is no such file or folder'],
  QuotaExceededError: ['ENOSPC', 'there is no space left: remove something, or ask the user to'],
  InvalidModificationError: ['ENOTEMPTY', 'the folder is not empty: pass `recursive` to remove all that is in it'],
}

/** What to throw for what the browser threw at a path. */
export function fileError(error: unknown, path: string): unknown {
  if (!(error instanceof DOMException)) return error
  const known = codes[error.name]
  return known ? new FileError(known[0], path, known[1], { cause: error }) : error
}
