import { once } from 'node:events'
import { createConnection } from 'node:net'
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectAclCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
} from '@aws-sdk/client-s3'
import { describe, expect, test } from 'vitest'
import { Bucket, refusal, prepareS3 } from '../../../support/s3-seat.ts'

const s3 = prepareS3()

describe('writing and reading', () => {
  test('an object is read as it was written, with its type, its encoding and its metadata', async () => {
    await s3.put('a', 'one', { ContentType: 'text/plain', ContentEncoding: 'br', Metadata: { author: 'me' } })
    const { Body, ...answer } = await s3.get('a')
    expect(await Body?.transformToString()).toBe('one')
    expect(answer).toMatchObject({ ContentType: 'text/plain', ContentEncoding: 'br', Metadata: { author: 'me' } })
    expect(answer.ContentLength).toBe(3)
    expect(answer.LastModified).toBeInstanceOf(Date)
  })

  test('an ETag is the MD5 of the bytes', async () => {
    expect((await s3.put('a', 'hello')).ETag).toBe('"5d41402abc4b2a76b9719d911017c592"')
    expect((await s3.get('a')).ETag).toBe('"5d41402abc4b2a76b9719d911017c592"')
  })

  test.each(['a b/c+d', 'ä/€/😀', `"quotes" & <angles>`, 'a//b', '%41', "!*'()~"])('a key may be %j', async (key) => {
    await s3.put(key, key)
    expect(await s3.read(key)).toBe(key)
    expect((await s3.list()).keys).toEqual([key])
  })

  test('a key of more than 1,024 bytes is refused', async () => {
    expect(await refusal(s3.put('ä'.repeat(513), '.'))).toBe('400 KeyTooLongError')
  })

  test('HEAD tells of an object without its bytes', async () => {
    await s3.put('a', 'one')
    const answer = await s3.client.send(new HeadObjectCommand({ Bucket, Key: 'a' }))
    expect(answer).toMatchObject({ ContentLength: 3, ETag: '"f97c5d29941bfb1b2fdab0874906ab82"' })
    expect(s3.server.traffic.of('HeadObject').bytesOut).toBe(0)
  })

  test('what is not there is 404: NoSuchKey, for HEAD NotFound, and NoSuchBucket', async () => {
    expect(await refusal(s3.get('none'))).toBe('404 NoSuchKey')
    expect(await refusal(s3.client.send(new HeadObjectCommand({ Bucket, Key: 'none' })))).toBe('404 NotFound')
    expect(await refusal(s3.get('a', { Bucket: 'none' }))).toBe('404 NoSuchBucket')
    expect(await refusal(s3.put('a', '.', { Bucket: 'none' }))).toBe('404 NoSuchBucket')
    expect(await refusal(s3.list({ Bucket: 'none' }))).toBe('404 NoSuchBucket')
  })

  test('what is not known here is 501', async () => {
    expect(await refusal(s3.client.send(new GetObjectAclCommand({ Bucket, Key: 'a' })))).toBe('501 NotImplemented')
  })

  test('an object is gone once it was deleted, and deleting it again succeeds', async () => {
    await s3.put('a', 'one')
    await s3.client.send(new DeleteObjectCommand({ Bucket, Key: 'a' }))
    expect(await refusal(s3.get('a'))).toBe('404 NoSuchKey')
    await expect(s3.client.send(new DeleteObjectCommand({ Bucket, Key: 'a' }))).resolves.toBeDefined()
  })

  test('many objects are deleted at once, those that were not there as well', async () => {
    await s3.put('a&b', '.')
    await s3.put('c', '.')
    const Objects = [{ Key: 'a&b' }, { Key: 'none' }]
    const { Deleted, Errors } = await s3.client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }))
    expect(Deleted).toEqual(Objects)
    expect(Errors).toBeUndefined()
    expect((await s3.list()).keys).toEqual(['c'])
  })

  test('of many that are deleted at once, those stay that are not what was named', async () => {
    const { ETag } = await s3.put('a', 'one')
    await s3.put('b', 'two')
    const Objects = [
      { Key: 'a', ETag },
      { Key: 'b', ETag },
    ]
    const { Deleted, Errors } = await s3.client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }))
    expect(Deleted).toEqual([{ Key: 'a' }])
    expect(Errors).toMatchObject([{ Key: 'b', Code: 'PreconditionFailed' }])
    expect((await s3.list()).keys).toEqual(['b'])
  })

  test('a write that was cut on its way stores nothing', async () => {
    const socket = createConnection(s3.server.port, '127.0.0.1')
    s3.ends.push(() => void socket.destroy())
    socket.write(`PUT /${Bucket}/a HTTP/1.1\r\nHost: here\r\nContent-Length: 100\r\n\r\nhalf of it`)
    await once(socket.end().resume(), 'close')
    await s3.server.settled()
    expect((await s3.list()).keys).toEqual([])
  })
})

describe('buckets', () => {
  test('a bucket is made once, listed, found, and deleted when it is empty', async () => {
    const named = { Bucket: 'another' }
    expect(await refusal(s3.client.send(new HeadBucketCommand(named)))).toBe('404 NotFound')
    await s3.client.send(new CreateBucketCommand(named))
    expect(await refusal(s3.client.send(new CreateBucketCommand(named)))).toBe('409 BucketAlreadyOwnedByYou')
    expect((await s3.client.send(new ListBucketsCommand())).Buckets?.map(({ Name }) => Name)).toEqual([
      'another',
      Bucket,
    ])
    await expect(s3.client.send(new HeadBucketCommand(named))).resolves.toBeDefined()
    await s3.put('a', '.', named)
    expect(await refusal(s3.client.send(new DeleteBucketCommand(named)))).toBe('409 BucketNotEmpty')
    await s3.client.send(new DeleteObjectCommand({ ...named, Key: 'a' }))
    await s3.client.send(new DeleteBucketCommand(named))
    expect(await refusal(s3.client.send(new HeadBucketCommand(named)))).toBe('404 NotFound')
  })
})
