import { S3Error } from './s3-error.ts'

/** Bytes of an object; `end` is the first that is not in it. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

/**
 * What a Range header asks for of so many bytes; `undefined` for all of it, as for a header in no known form or of
 * several ranges.
 * @throws S3Error InvalidRange where none of the bytes is there.
 */
export function readRange(text: string | undefined, size: number): ByteRange | undefined {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(text ?? '') ?? []
  if (first === '' && last === '') return undefined
  const range =
    first === ''
      ? { start: Math.max(size - Number(last), 0), end: size }
      : { start: Number(first), end: last === '' ? size : Math.min(Number(last) + 1, size) }
  if (first !== '' && last !== '' && Number(last) < Number(first)) return undefined
  if (range.start >= size)
    throw new S3Error('InvalidRange', `The object has ${size} bytes.`, { 'Content-Range': `bytes */${size}` })
  return range
}
