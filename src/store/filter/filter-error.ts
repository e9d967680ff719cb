import { RowcastError } from '../../errors/index.ts'

/** A `where` or `orderBy` that can't be understood. Nothing was read or changed. */
export class FilterError extends RowcastError<'filter'> {
  override readonly name: string = 'FilterError'
  /** The property path or keyword that it is about, `''` for the filter as a whole. */
  readonly path: string

  constructor(path: string, message: string, options?: { cause?: unknown }) {
    super('filter', message, options)
    this.path = path
  }
}
