import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { expect, test } from 'vitest'
import { Bucket, refusal, prepareS3 } from '../../../support/s3-seat.ts'

const s3 = prepareS3()

const FIVE_MIB = 5 * 1024 * 1024
const Key = 'large'

async function begin(): Promise<string> {
  const { UploadId = '' } = await s3.client.send(new CreateMultipartUploadCommand({ Bucket, Key, ContentType: 'a/b' }))
  return UploadId
}

async function part(UploadId: string, PartNumber: number, Body: Buffer | string) {
  const { ETag } = await s3.client.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body }))
  return { PartNumber, ETag }
}

function complete(UploadId: string, Parts: Awaited<ReturnType<typeof part>>[], more: { IfNoneMatch?: '*' } = {}) {
  return s3.client.send(
    new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts }, ...more }),
  )
}

test('the object is there once the upload is complete, its parts in the order of their numbers', async () => {
  const id = await begin()
  const second = await part(id, 2, 'the end')
  const first = await part(id, 1, Buffer.alloc(FIVE_MIB, 'x'))
  expect(await refusal(s3.get(Key))).toBe('404 NoSuchKey')
  expect((await complete(id, [first, second])).ETag).toMatch(/^"[\da-f]{32}-2"$/)
  expect(await s3.read(Key, { Range: `bytes=${FIVE_MIB - 1}-` })).toBe('xthe end')
  expect((await s3.get(Key)).ContentType).toBe('a/b')
})

test('completing with If-None-Match: * is 412 over an object, and can be tried again', async () => {
  const id = await begin()
  const only = await part(id, 1, 'mine')
  await s3.put(Key, 'theirs')
  expect(await refusal(complete(id, [only], { IfNoneMatch: '*' }))).toBe('412 PreconditionFailed')
  expect(await s3.read(Key)).toBe('theirs')
  await s3.client.send(new DeleteObjectCommand({ Bucket, Key }))
  await complete(id, [only], { IfNoneMatch: '*' })
  expect(await s3.read(Key)).toBe('mine')
})

test('an upload that was aborted or completed is no more', async () => {
  const aborted = await begin()
  const lost = await part(aborted, 1, 'lost')
  await s3.client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId: aborted }))
  expect(await refusal(complete(aborted, [lost]))).toBe('404 NoSuchUpload')
  expect(await refusal(part(aborted, 1, 'more'))).toBe('404 NoSuchUpload')
  const completed = await begin()
  const only = await part(completed, 1, 'one')
  await complete(completed, [only])
  expect(await refusal(complete(completed, [only]))).toBe('404 NoSuchUpload')
})

test('parts that are small, unknown or out of order are 400', async () => {
  const id = await begin()
  const one = await part(id, 1, 'one')
  const two = await part(id, 2, 'two')
  expect(await refusal(complete(id, [one, two]))).toBe('400 EntityTooSmall')
  expect(await refusal(complete(id, [two, one]))).toBe('400 InvalidPartOrder')
  expect(await refusal(complete(id, [{ PartNumber: 1, ETag: two.ETag }]))).toBe('400 InvalidPart')
  expect(await refusal(complete(id, []))).toBe('400 MalformedXML')
})
