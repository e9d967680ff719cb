import { expect, test } from 'vitest'
import { refusal, prepareS3 } from '../../../support/s3-seat.ts'

const s3 = prepareS3()

test('If-None-Match of the ETag is 304, of another reads', async () => {
  const { ETag } = await s3.put('a', 'one')
  expect(await refusal(s3.get('a', { IfNoneMatch: ETag }))).toMatch(/^304 /)
  expect(await s3.read('a', { IfNoneMatch: '"x"' })).toBe('one')
})

test('If-Match of the ETag reads, of another is 412', async () => {
  const { ETag } = await s3.put('a', 'one')
  expect(await s3.read('a', { IfMatch: ETag })).toBe('one')
  expect(await refusal(s3.get('a', { IfMatch: '"x"' }))).toBe('412 PreconditionFailed')
})

test('If-Modified-Since is 304, and If-Unmodified-Since 412, by the date of the write', async () => {
  await s3.put('a', 'one')
  const { LastModified = new Date(0) } = await s3.get('a')
  const before = new Date(LastModified.getTime() - 1000)
  expect(await refusal(s3.get('a', { IfModifiedSince: LastModified }))).toMatch(/^304 /)
  expect(await s3.read('a', { IfModifiedSince: before })).toBe('one')
  expect(await refusal(s3.get('a', { IfUnmodifiedSince: before }))).toBe('412 PreconditionFailed')
  expect(await s3.read('a', { IfUnmodifiedSince: LastModified })).toBe('one')
})
