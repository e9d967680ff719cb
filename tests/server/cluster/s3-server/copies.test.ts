import { CopyObjectCommand, DeleteObjectCommand } from '@aws-sdk/client-s3'
import { expect, test } from 'vitest'
import { Bucket, refusal, prepareS3 } from '../../../support/s3-seat.ts'

const s3 = prepareS3()

test('a copy has the bytes and the metadata of its source, and stays when that is gone', async () => {
  await s3.put('ä b', 'one', { Metadata: { author: 'me' } })
  const CopySource = `${Bucket}/${encodeURIComponent('ä b')}`
  const { CopyObjectResult } = await s3.client.send(new CopyObjectCommand({ Bucket, Key: 'copy', CopySource }))
  await s3.client.send(new DeleteObjectCommand({ Bucket, Key: 'ä b' }))
  const { Body, ETag, Metadata } = await s3.get('copy')
  expect(await Body?.transformToString()).toBe('one')
  expect(ETag).toBe(CopyObjectResult?.ETag)
  expect(Metadata).toEqual({ author: 'me' })
})

test('a copy that replaces metadata has its own', async () => {
  await s3.put('a', 'one', { Metadata: { author: 'me' } })
  const source = { CopySource: `${Bucket}/a`, MetadataDirective: 'REPLACE' as const, Metadata: { author: 'you' } }
  await s3.client.send(new CopyObjectCommand({ Bucket, Key: 'copy', ...source }))
  expect((await s3.get('copy')).Metadata).toEqual({ author: 'you' })
})

test('a copy of another source than it names is 412, of none 404, over what is there with If-None-Match 412', async () => {
  await s3.put('a', 'one')
  const copy = (from: string, more: object) =>
    s3.client.send(new CopyObjectCommand({ Bucket, Key: 'copy', CopySource: `${Bucket}/${from}`, ...more }))
  expect(await refusal(copy('a', { CopySourceIfMatch: '"x"' }))).toBe('412 PreconditionFailed')
  expect(await refusal(copy('none', {}))).toBe('404 NoSuchKey')
  await copy('a', { IfNoneMatch: '*' })
  expect(await refusal(copy('a', { IfNoneMatch: '*' }))).toBe('412 PreconditionFailed')
})
