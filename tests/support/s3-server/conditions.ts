import type { StoredObject } from './bucket.ts'
import { S3Error } from './s3-error.ts'
import { header, type S3Request } from './s3-request.ts'

/**
 * Checks what a write rests on: `If-None-Match: *`, that there is no object; `If-Match`, that there is this one.
 * @throws S3Error PreconditionFailed; NoSuchKey where If-Match meets no object; NotImplemented for another form.
 */
export function checkWrite(request: S3Request, present: StoredObject | undefined): void {
  const noneMatch = header(request, 'if-none-match')
  if (noneMatch !== undefined) {
    if (noneMatch !== '*') throw new S3Error('NotImplemented', 'A write knows If-None-Match with * only.')
    if (present !== undefined) throw failed('If-None-Match')
  }
  checkMatch(header(request, 'if-match'), request.key, present)
}

/**
 * Checks that an object is the one that a write or a deletion names, if it names one.
 * @throws S3Error PreconditionFailed; NoSuchKey where there is none.
 */
export function checkMatch(match: string | undefined, key: string, present: StoredObject | undefined): void {
  if (match === undefined) return
  if (present === undefined) throw new S3Error('NoSuchKey', `There is no object ${key} to match.`)
  if (!matches(match, present)) throw failed('If-Match')
}

/**
 * Checks what a read rests on; `prefix` leads the headers of a copy's source.
 * @throws S3Error PreconditionFailed or NotModified.
 */
export function checkRead(request: S3Request, present: StoredObject, prefix = ''): void {
  const match = header(request, `${prefix}if-match`)
  const noneMatch = header(request, `${prefix}if-none-match`)
  const unmodified = header(request, `${prefix}if-unmodified-since`)
  const modified = header(request, `${prefix}if-modified-since`)
  // An ETag goes before a date.
  if (match !== undefined) {
    if (!matches(match, present)) throw failed('If-Match')
  } else if (unmodified !== undefined && seconds(present) > Date.parse(unmodified)) throw failed('If-Unmodified-Since')
  const isSame =
    noneMatch === undefined
      ? modified !== undefined && seconds(present) <= Date.parse(modified)
      : matches(noneMatch, present)
  if (!isSame) return
  if (prefix !== '') throw failed('If-None-Match')
  throw new S3Error('NotModified', 'The object is the one that is known.', { ETag: present.etag })
}

function matches(condition: string, { etag }: StoredObject): boolean {
  const bare = etag.slice(1, -1)
  return condition.split(',').some((each) => ['*', etag, bare].includes(each.trim()))
}

/** HTTP's dates have no milliseconds. */
function seconds({ modifiedMs }: StoredObject): number {
  return Math.floor(modifiedMs / 1000) * 1000
}

function failed(name: string): S3Error {
  return new S3Error('PreconditionFailed', `At least one of the preconditions does not hold: ${name}.`)
}
