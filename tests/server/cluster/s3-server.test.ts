import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectAclCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
  UploadPartCommand,
  type GetObjectCommandInput,
  type ListObjectsV2CommandInput,
  type PutObjectCommandInput,
  type S3ClientConfig,
} from '@aws-sdk/client-s3'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { S3Server, type Fault, type S3Operation, type S3ServerOptions } from '../../support/s3-server/index.ts'

const Bucket = 'tests'
const FIVE_MIB = 5 * 1024 * 1024

let server: S3Server
let client: S3Client
const ends: (() => Promise<void> | void)[] = []

beforeEach(async () => {
  server = await open()
  client = connect()
})

afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end()
})

async function open(options: S3ServerOptions = {}): Promise<S3Server> {
  const opened = await S3Server.open({ buckets: [Bucket], ...options })
  ends.push(() => opened.close())
  return opened
}

function connect(config: S3ClientConfig = {}): S3Client {
  const made = new S3Client({
    endpoint: server.url,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: server.credentials,
    maxAttempts: 1,
    ...config,
  })
  ends.push(() => made.destroy())
  return made
}

/** One fault, at the next request of a kind. */
function failNext(operation: S3Operation, fault: Fault): void {
  server.fault = (request) => {
    if (request.operation !== operation) return undefined
    server.fault = undefined
    return fault
  }
}

function put(Key: string, Body: string | Buffer, more: Partial<PutObjectCommandInput> = {}) {
  return client.send(new PutObjectCommand({ Bucket, Key, Body, ...more }))
}

function get(Key: string, more: Partial<GetObjectCommandInput> = {}) {
  return client.send(new GetObjectCommand({ Bucket, Key, ...more }))
}

async function read(Key: string, more: Partial<GetObjectCommandInput> = {}): Promise<string | undefined> {
  return (await get(Key, more)).Body?.transformToString()
}

async function list(more: Partial<ListObjectsV2CommandInput> = {}) {
  const {
    Contents = [],
    CommonPrefixes = [],
    ...rest
  } = await client.send(new ListObjectsV2Command({ Bucket, ...more }))
  return { ...rest, keys: Contents.map(({ Key }) => Key), prefixes: CommonPrefixes.map(({ Prefix }) => Prefix) }
}

/** How S3 refuses: status and code. */
async function refusal(asked: Promise<unknown>): Promise<string> {
  const error: unknown = await asked.then(
    () => new Error('It was not refused'),
    (reason: unknown) => reason,
  )
  if (!(error instanceof S3ServiceException)) throw error
  return `${error.$metadata.httpStatusCode} ${error.name}`
}

describe('writing and reading', () => {
  test('an object is read as it was written, with its type, its encoding and its metadata', async () => {
    await put('a', 'one', { ContentType: 'text/plain', ContentEncoding: 'br', Metadata: { author: 'me' } })
    const { Body, ...answer } = await get('a')
    expect(await Body?.transformToString()).toBe('one')
    expect(answer).toMatchObject({ ContentType: 'text/plain', ContentEncoding: 'br', Metadata: { author: 'me' } })
    expect(answer.ContentLength).toBe(3)
    expect(answer.LastModified).toBeInstanceOf(Date)
  })

  test('an ETag is the MD5 of the bytes', async () => {
    expect((await put('a', 'hello')).ETag).toBe('"5d41402abc4b2a76b9719d911017c592"')
    expect((await get('a')).ETag).toBe('"5d41402abc4b2a76b9719d911017c592"')
  })

  test.each(['a b/c+d', 'ä/€/😀', `"quotes" & <angles>`, 'a//b', '%41', "!*'()~"])('a key may be %j', async (key) => {
    await put(key, key)
    expect(await read(key)).toBe(key)
    expect((await list()).keys).toEqual([key])
  })

  test('a key of more than 1,024 bytes is refused', async () => {
    expect(await refusal(put('ä'.repeat(513), '.'))).toBe('400 KeyTooLongError')
  })

  test('HEAD tells of an object without its bytes', async () => {
    await put('a', 'one')
    const answer = await client.send(new HeadObjectCommand({ Bucket, Key: 'a' }))
    expect(answer).toMatchObject({ ContentLength: 3, ETag: '"f97c5d29941bfb1b2fdab0874906ab82"' })
    expect(server.traffic.of('HeadObject').bytesOut).toBe(0)
  })

  test('what is not there is 404: NoSuchKey, for HEAD NotFound, and NoSuchBucket', async () => {
    expect(await refusal(get('none'))).toBe('404 NoSuchKey')
    expect(await refusal(client.send(new HeadObjectCommand({ Bucket, Key: 'none' })))).toBe('404 NotFound')
    expect(await refusal(get('a', { Bucket: 'none' }))).toBe('404 NoSuchBucket')
    expect(await refusal(put('a', '.', { Bucket: 'none' }))).toBe('404 NoSuchBucket')
    expect(await refusal(list({ Bucket: 'none' }))).toBe('404 NoSuchBucket')
  })

  test('what is not known here is 501', async () => {
    expect(await refusal(client.send(new GetObjectAclCommand({ Bucket, Key: 'a' })))).toBe('501 NotImplemented')
  })

  test('an object is gone once it was deleted, and deleting it again succeeds', async () => {
    await put('a', 'one')
    await client.send(new DeleteObjectCommand({ Bucket, Key: 'a' }))
    expect(await refusal(get('a'))).toBe('404 NoSuchKey')
    await expect(client.send(new DeleteObjectCommand({ Bucket, Key: 'a' }))).resolves.toBeDefined()
  })

  test('many objects are deleted at once, those that were not there as well', async () => {
    await put('a&b', '.')
    await put('c', '.')
    const Objects = [{ Key: 'a&b' }, { Key: 'none' }]
    const { Deleted, Errors } = await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }))
    expect(Deleted).toEqual(Objects)
    expect(Errors).toBeUndefined()
    expect((await list()).keys).toEqual(['c'])
  })

  test('of many that are deleted at once, those stay that are not what was named', async () => {
    const { ETag } = await put('a', 'one')
    await put('b', 'two')
    const Objects = [
      { Key: 'a', ETag },
      { Key: 'b', ETag },
    ]
    const { Deleted, Errors } = await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }))
    expect(Deleted).toEqual([{ Key: 'a' }])
    expect(Errors).toMatchObject([{ Key: 'b', Code: 'PreconditionFailed' }])
    expect((await list()).keys).toEqual(['b'])
  })

  test('a write that was cut on its way stores nothing', async () => {
    const socket = createConnection(server.port, '127.0.0.1')
    ends.push(() => void socket.destroy())
    socket.write(`PUT /${Bucket}/a HTTP/1.1\r\nHost: here\r\nContent-Length: 100\r\n\r\nhalf of it`)
    await once(socket.end().resume(), 'close')
    await server.settled()
    expect((await list()).keys).toEqual([])
  })
})

describe('conditional writes', () => {
  test('If-None-Match: * writes what is not there, and is 412 once it is', async () => {
    await put('a', 'one', { IfNoneMatch: '*' })
    expect(await refusal(put('a', 'two', { IfNoneMatch: '*' }))).toBe('412 PreconditionFailed')
    expect(await read('a')).toBe('one')
  })

  test('of many that create one object at the same time, one succeeds', async () => {
    const tries = await Promise.allSettled(Array.from({ length: 20 }, (_, i) => put('a', `${i}`, { IfNoneMatch: '*' })))
    expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  })

  test('If-None-Match: * writes again what was deleted', async () => {
    await put('a', 'one')
    await client.send(new DeleteObjectCommand({ Bucket, Key: 'a' }))
    await put('a', 'two', { IfNoneMatch: '*' })
    expect(await read('a')).toBe('two')
  })

  test('If-Match writes over the object it names, and is 412 over another', async () => {
    const { ETag } = await put('a', 'one')
    await put('a', 'two', { IfMatch: ETag })
    expect(await refusal(put('a', 'three', { IfMatch: ETag }))).toBe('412 PreconditionFailed')
    expect(await read('a')).toBe('two')
  })

  test('If-Match is 404 where there is no object', async () => {
    expect(await refusal(put('a', 'one', { IfMatch: '"x"' }))).toBe('404 NoSuchKey')
  })

  test('a write with If-None-Match of an ETag is 501', async () => {
    expect(await refusal(put('a', 'one', { IfNoneMatch: '"x"' }))).toBe('501 NotImplemented')
  })

  test('If-Match deletes the object it names only', async () => {
    const { ETag } = await put('a', 'one')
    const remove = (IfMatch: string | undefined) => client.send(new DeleteObjectCommand({ Bucket, Key: 'a', IfMatch }))
    expect(await refusal(remove('"x"'))).toBe('412 PreconditionFailed')
    await remove(ETag)
    expect((await list()).keys).toEqual([])
  })
})

describe('conditional reads', () => {
  test('If-None-Match of the ETag is 304, of another reads', async () => {
    const { ETag } = await put('a', 'one')
    expect(await refusal(get('a', { IfNoneMatch: ETag }))).toMatch(/^304 /)
    expect(await read('a', { IfNoneMatch: '"x"' })).toBe('one')
  })

  test('If-Match of the ETag reads, of another is 412', async () => {
    const { ETag } = await put('a', 'one')
    expect(await read('a', { IfMatch: ETag })).toBe('one')
    expect(await refusal(get('a', { IfMatch: '"x"' }))).toBe('412 PreconditionFailed')
  })

  test('If-Modified-Since is 304, and If-Unmodified-Since 412, by the date of the write', async () => {
    await put('a', 'one')
    const { LastModified = new Date(0) } = await get('a')
    const before = new Date(LastModified.getTime() - 1000)
    expect(await refusal(get('a', { IfModifiedSince: LastModified }))).toMatch(/^304 /)
    expect(await read('a', { IfModifiedSince: before })).toBe('one')
    expect(await refusal(get('a', { IfUnmodifiedSince: before }))).toBe('412 PreconditionFailed')
    expect(await read('a', { IfUnmodifiedSince: LastModified })).toBe('one')
  })
})

describe('ranges', () => {
  beforeEach(() => put('a', '0123456789'))

  test.each([
    ['bytes=2-4', '234', 'bytes 2-4/10'],
    ['bytes=7-', '789', 'bytes 7-9/10'],
    ['bytes=-3', '789', 'bytes 7-9/10'],
    ['bytes=-30', '0123456789', 'bytes 0-9/10'],
    ['bytes=8-99', '89', 'bytes 8-9/10'],
  ])('%s is 206 with %s', async (Range, text, contentRange) => {
    const { Body, $metadata, ContentRange } = await get('a', { Range })
    expect(await Body?.transformToString()).toBe(text)
    expect($metadata.httpStatusCode).toBe(206)
    expect(ContentRange).toBe(contentRange)
  })

  test.each(['bytes=10-', 'bytes=10-12', 'bytes=-0'])('%s of ten bytes is 416', async (Range) => {
    expect(await refusal(get('a', { Range }))).toBe('416 InvalidRange')
  })

  test.each(['bytes=4-2', 'bytes=1-2,4-5', 'lines=1-2', 'bytes=-'])('%s is answered by all of it', async (Range) => {
    const { Body, $metadata } = await get('a', { Range })
    expect(await Body?.transformToString()).toBe('0123456789')
    expect($metadata.httpStatusCode).toBe(200)
  })
})

describe('checksums', () => {
  test('a body that does not have its Content-MD5 is 400 BadDigest', async () => {
    expect(await refusal(put('a', 'one', { ContentMD5: '1B2M2Y8AsgTpgAmY7PhCfg==' }))).toBe('400 BadDigest')
    await put('a', Buffer.alloc(0), { ContentMD5: '1B2M2Y8AsgTpgAmY7PhCfg==' })
  })

  test.each([
    ['CRC32', { ChecksumCRC32: 'AAAAAA==' }],
    ['SHA-1', { ChecksumSHA1: 'AAAAAAAAAAAAAAAAAAAAAAAAAAA=' }],
    ['SHA-256', { ChecksumSHA256: '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=' }],
  ])('a body that does not have its %s is 400 BadDigest, and nothing is stored', async (_name, checksum) => {
    expect(await refusal(put('a', 'one', checksum))).toBe('400 BadDigest')
    expect((await list()).keys).toEqual([])
  })

  test.each(['CRC32', 'SHA1', 'SHA256'] as const)('a checksum by %s comes back with the object', async (algorithm) => {
    await put('a', 'one', { ChecksumAlgorithm: algorithm })
    expect((await get('a', { ChecksumMode: 'ENABLED' }))[`Checksum${algorithm}`]).toMatch(/=$/)
  })

  test('a checksum that is not known here is 501', async () => {
    expect(await refusal(put('a', 'one', { ChecksumCRC64NVME: 'AAAAAAAAAAA=' }))).toBe('501 NotImplemented')
  })

  test('a stream comes in chunks with its checksum behind it, and is stored without the framing', async () => {
    const text = 'a long text of some chunks '.repeat(10_000)
    const Body = Readable.from([Buffer.from(text.slice(0, 70_000)), Buffer.from(text.slice(70_000))])
    let encoding: unknown
    server.fault = ({ headers }) => void (encoding ??= headers['content-encoding'])
    await client.send(new PutObjectCommand({ Bucket, Key: 'a', Body, ContentLength: text.length }))
    expect(encoding).toBe('aws-chunked')
    const { Body: stored, ContentEncoding, ChecksumCRC32 } = await get('a', { ChecksumMode: 'ENABLED' })
    expect(await stored?.transformToString()).toBe(text)
    expect(ContentEncoding).toBeUndefined()
    expect(ChecksumCRC32).toBeDefined()
  })
})

describe('listing', () => {
  test('keys come in the order of their UTF-8 bytes', async () => {
    // UTF-16 has the surrogates of 😀 below U+FF01, and a language has ä beside a.
    const keys = ['B', 'a', 'a/', 'a0', 'b', 'ä', '！', '😀']
    for (const key of keys.toReversed()) await put(key, '.')
    expect((await list()).keys).toEqual(keys)
  })

  test('a listing has sizes, ETags and dates', async () => {
    const { ETag } = await put('a', 'one')
    const { Contents } = await client.send(new ListObjectsV2Command({ Bucket }))
    expect(Contents).toMatchObject([{ Key: 'a', Size: 3, ETag }])
    expect(Contents?.[0]?.LastModified).toBeInstanceOf(Date)
  })

  test('a prefix leaves out what does not begin with it', async () => {
    for (const key of ['a', 'b/1', 'b/2', 'b0', 'c']) await put(key, '.')
    expect((await list({ Prefix: 'b/' })).keys).toEqual(['b/1', 'b/2'])
    expect((await list({ Prefix: 'x' })).keys).toEqual([])
  })

  test('a delimiter rolls up what goes on behind it', async () => {
    for (const key of ['a', 'b/1', 'b/2/3', 'b/2/4', 'c/']) await put(key, '.')
    expect(await list({ Delimiter: '/' })).toMatchObject({ keys: ['a'], prefixes: ['b/', 'c/'], KeyCount: 3 })
    expect(await list({ Delimiter: '/', Prefix: 'b/' })).toMatchObject({ keys: ['b/1'], prefixes: ['b/2/'] })
  })

  test('start-after begins behind a key, be it there or not', async () => {
    for (const key of ['a', 'b', 'd']) await put(key, '.')
    expect((await list({ StartAfter: 'b' })).keys).toEqual(['d'])
    expect((await list({ StartAfter: 'aa' })).keys).toEqual(['b', 'd'])
    expect((await list({ StartAfter: 'a', Prefix: 'd' })).keys).toEqual(['d'])
  })

  test('pages together have each key and each prefix once', async () => {
    for (const key of ['a', 'b/1', 'b/2', 'c', 'd/1', 'd/2', 'e', 'ü/1']) await put(key, '.')
    const seen: (string | undefined)[] = []
    let ContinuationToken: string | undefined
    let pages = 0
    do {
      const page = await list({ Delimiter: '/', MaxKeys: 2, ContinuationToken })
      expect(page.keys.length + page.prefixes.length).toBe(page.KeyCount)
      expect(page.IsTruncated).toBe(page.NextContinuationToken !== undefined)
      seen.push(...page.keys, ...page.prefixes)
      ContinuationToken = page.NextContinuationToken
      pages++
    } while (ContinuationToken !== undefined)
    expect(seen.toSorted()).toEqual(['a', 'b/', 'c', 'd/', 'e', 'ü/'])
    expect(pages).toBe(3)
  })

  test('a page has 1,000 keys at most, and the next goes on', async () => {
    await Promise.all(Array.from({ length: 1001 }, (_, i) => put(String(i).padStart(4, '0'), '.')))
    const first = await list({ MaxKeys: 5000 })
    expect(first.keys).toHaveLength(1000)
    expect((await list({ ContinuationToken: first.NextContinuationToken })).keys).toEqual(['1000'])
  })

  test('max-keys of 0 lists nothing, and there is no more', async () => {
    await put('a', '.')
    expect(await list({ MaxKeys: 0 })).toMatchObject({ keys: [], IsTruncated: false })
  })

  test('keys may be asked for in the encoding of URLs', async () => {
    await put('a b\u0001', '.')
    expect((await list({ EncodingType: 'url' })).keys).toEqual(['a%20b%01'])
  })

  test('what was written is listed at once, and what was deleted is not', async () => {
    for (let i = 0; i < 20; i++) {
      await put(`${i % 3}`, `${i}`)
      expect((await list()).keys).toContain(`${i % 3}`)
      await client.send(new DeleteObjectCommand({ Bucket, Key: `${i % 3}` }))
      expect((await list()).keys).toEqual([])
    }
  })
})

describe('copies', () => {
  test('a copy has the bytes and the metadata of its source, and stays when that is gone', async () => {
    await put('ä b', 'one', { Metadata: { author: 'me' } })
    const CopySource = `${Bucket}/${encodeURIComponent('ä b')}`
    const { CopyObjectResult } = await client.send(new CopyObjectCommand({ Bucket, Key: 'copy', CopySource }))
    await client.send(new DeleteObjectCommand({ Bucket, Key: 'ä b' }))
    const { Body, ETag, Metadata } = await get('copy')
    expect(await Body?.transformToString()).toBe('one')
    expect(ETag).toBe(CopyObjectResult?.ETag)
    expect(Metadata).toEqual({ author: 'me' })
  })

  test('a copy that replaces metadata has its own', async () => {
    await put('a', 'one', { Metadata: { author: 'me' } })
    const source = { CopySource: `${Bucket}/a`, MetadataDirective: 'REPLACE' as const, Metadata: { author: 'you' } }
    await client.send(new CopyObjectCommand({ Bucket, Key: 'copy', ...source }))
    expect((await get('copy')).Metadata).toEqual({ author: 'you' })
  })

  test('a copy of another source than it names is 412, of none 404, over what is there with If-None-Match 412', async () => {
    await put('a', 'one')
    const copy = (from: string, more: object) =>
      client.send(new CopyObjectCommand({ Bucket, Key: 'copy', CopySource: `${Bucket}/${from}`, ...more }))
    expect(await refusal(copy('a', { CopySourceIfMatch: '"x"' }))).toBe('412 PreconditionFailed')
    expect(await refusal(copy('none', {}))).toBe('404 NoSuchKey')
    await copy('a', { IfNoneMatch: '*' })
    expect(await refusal(copy('a', { IfNoneMatch: '*' }))).toBe('412 PreconditionFailed')
  })
})

describe('buckets', () => {
  test('a bucket is made once, listed, found, and deleted when it is empty', async () => {
    const named = { Bucket: 'another' }
    expect(await refusal(client.send(new HeadBucketCommand(named)))).toBe('404 NotFound')
    await client.send(new CreateBucketCommand(named))
    expect(await refusal(client.send(new CreateBucketCommand(named)))).toBe('409 BucketAlreadyOwnedByYou')
    expect((await client.send(new ListBucketsCommand())).Buckets?.map(({ Name }) => Name)).toEqual(['another', Bucket])
    await expect(client.send(new HeadBucketCommand(named))).resolves.toBeDefined()
    await put('a', '.', named)
    expect(await refusal(client.send(new DeleteBucketCommand(named)))).toBe('409 BucketNotEmpty')
    await client.send(new DeleteObjectCommand({ ...named, Key: 'a' }))
    await client.send(new DeleteBucketCommand(named))
    expect(await refusal(client.send(new HeadBucketCommand(named)))).toBe('404 NotFound')
  })
})

describe('uploads in parts', () => {
  const Key = 'large'

  async function begin(): Promise<string> {
    const { UploadId = '' } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key, ContentType: 'a/b' }))
    return UploadId
  }

  async function part(UploadId: string, PartNumber: number, Body: Buffer | string) {
    const { ETag } = await client.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body }))
    return { PartNumber, ETag }
  }

  function complete(UploadId: string, Parts: Awaited<ReturnType<typeof part>>[], more: { IfNoneMatch?: '*' } = {}) {
    return client.send(
      new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts }, ...more }),
    )
  }

  test('the object is there once the upload is complete, its parts in the order of their numbers', async () => {
    const id = await begin()
    const second = await part(id, 2, 'the end')
    const first = await part(id, 1, Buffer.alloc(FIVE_MIB, 'x'))
    expect(await refusal(get(Key))).toBe('404 NoSuchKey')
    expect((await complete(id, [first, second])).ETag).toMatch(/^"[\da-f]{32}-2"$/)
    expect(await read(Key, { Range: `bytes=${FIVE_MIB - 1}-` })).toBe('xthe end')
    expect((await get(Key)).ContentType).toBe('a/b')
  })

  test('completing with If-None-Match: * is 412 over an object, and can be tried again', async () => {
    const id = await begin()
    const only = await part(id, 1, 'mine')
    await put(Key, 'theirs')
    expect(await refusal(complete(id, [only], { IfNoneMatch: '*' }))).toBe('412 PreconditionFailed')
    expect(await read(Key)).toBe('theirs')
    await client.send(new DeleteObjectCommand({ Bucket, Key }))
    await complete(id, [only], { IfNoneMatch: '*' })
    expect(await read(Key)).toBe('mine')
  })

  test('an upload that was aborted or completed is no more', async () => {
    const aborted = await begin()
    const lost = await part(aborted, 1, 'lost')
    await client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId: aborted }))
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
})

describe('who asks', () => {
  test('a wrong secret is 403 SignatureDoesNotMatch', async () => {
    client = connect({ credentials: { ...server.credentials, secretAccessKey: 'wrong' } })
    expect(await refusal(put('a', 'one'))).toBe('403 SignatureDoesNotMatch')
    expect(await refusal(list())).toBe('403 SignatureDoesNotMatch')
  })

  test('another access key is 403 InvalidAccessKeyId', async () => {
    client = connect({ credentials: { ...server.credentials, accessKeyId: 'other' } })
    expect(await refusal(get('a'))).toBe('403 InvalidAccessKeyId')
  })

  test('a request without a signature is 403 AccessDenied', async () => {
    const answer = await fetch(`${server.url}/${Bucket}/a`)
    expect(answer.status).toBe(403)
    expect(await answer.text()).toContain('<Code>AccessDenied</Code>')
  })

  test('a request that was changed on its way is 403', async () => {
    client.middlewareStack.add(
      (next) => (args) => {
        ;(args.request as { path: string }).path = `/${Bucket}/other`
        return next(args)
      },
      { step: 'deserialize', priority: 'low' },
    )
    expect(await refusal(put('a', 'one'))).toBe('403 SignatureDoesNotMatch')
  })

  test('a clock an hour off is 403 RequestTimeTooSkewed, and right again once the client took over the time', async () => {
    server = await open({ now: () => Date.now() + 3_600_000 })
    client = connect()
    expect(await refusal(put('a', 'one'))).toBe('403 RequestTimeTooSkewed')
    await put('a', 'one')
  })
})

describe('a folder', () => {
  test('keeps what was written for the server that is opened on it next', async () => {
    const folder = await mkdtemp(join(tmpdir(), 's3-server-'))
    ends.unshift(() => rm(folder, { recursive: true }))
    const before = await open({ folder })
    server = before
    client = connect()
    await put('a/ä', 'one', { Metadata: { author: 'me' } })
    await put('b', 'two')
    await client.send(new DeleteObjectCommand({ Bucket, Key: 'b' }))
    const { port } = before
    await before.close()
    server = await open({ folder, port })
    client = connect()
    expect((await list()).keys).toEqual(['a/ä'])
    expect(await refusal(put('a/ä', 'two', { IfNoneMatch: '*' }))).toBe('412 PreconditionFailed')
    const { Body, Metadata } = await get('a/ä')
    expect(await Body?.transformToString()).toBe('one')
    expect(Metadata).toEqual({ author: 'me' })
  })
})

describe('a process of its own', () => {
  const main = fileURLToPath(new URL('../../support/s3-server/main.ts', import.meta.url))

  async function start(folder: string): Promise<ChildProcess> {
    const child = spawn(process.execPath, [main, '--folder', folder, '--bucket', Bucket], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    ends.push(() => kill(child))
    const [line] = (await once(child.stdout, 'data')) as [Buffer]
    const { url, ...credentials } = JSON.parse(line.toString()) as { url: string } & typeof server.credentials
    client = connect({ endpoint: url, credentials })
    return child
  }

  async function kill(child: ChildProcess): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }

  test('loses nothing that it acknowledged when it is killed', async () => {
    const folder = await mkdtemp(join(tmpdir(), 's3-server-'))
    ends.unshift(() => rm(folder, { recursive: true }))
    const killed = await start(folder)
    const acknowledged: string[] = []
    const writes = Array.from({ length: 200 }, async (_, i) => {
      const key = String(i).padStart(3, '0')
      await put(key, key, { IfNoneMatch: '*' })
      acknowledged.push(key)
      if (acknowledged.length === 20) await kill(killed)
    })
    await Promise.allSettled(writes)
    await start(folder)
    const { keys } = await list()
    expect(keys).toEqual(expect.arrayContaining(acknowledged))
    for (const key of acknowledged) expect(await read(key)).toBe(key)
  })
})

describe('faults', () => {
  test.each([
    ['SlowDown', 503],
    ['ServiceUnavailable', 503],
    ['InternalError', 500],
    ['ConditionalRequestConflict', 409],
  ] as const)('a write answered with %s is not done', async (code, status) => {
    failNext('PutObject', { kind: 'answer', code })
    expect(await refusal(put('a', 'one'))).toBe(`${status} ${code}`)
    expect((await list()).keys).toEqual([])
    await put('a', 'one')
  })

  test('a write may be answered with an error though it was done', async () => {
    failNext('PutObject', { kind: 'answer', code: 'InternalError', when: 'after' })
    expect(await refusal(put('a', 'one'))).toBe('500 InternalError')
    expect(await read('a')).toBe('one')
  })

  test('the SDK tries again by itself, and takes its own object for that of another', async () => {
    client = connect({ maxAttempts: 3 })
    failNext('PutObject', { kind: 'reset', when: 'after' })
    expect(await refusal(put('a', 'one', { IfNoneMatch: '*' }))).toBe('412 PreconditionFailed')
    expect(await read('a')).toBe('one')
  })

  test('a reset before the write stores nothing, after it everything', async () => {
    failNext('PutObject', { kind: 'reset' })
    await expect(put('a', 'one')).rejects.toMatchObject({ code: 'ECONNRESET' })
    failNext('PutObject', { kind: 'reset', when: 'after' })
    await expect(put('b', 'one')).rejects.toMatchObject({ code: 'ECONNRESET' })
    expect((await list()).keys).toEqual(['b'])
  })

  test('a delay holds a request back before it is done, or after', async () => {
    const release = Promise.withResolvers<void>()
    failNext('PutObject', { kind: 'delay', wait: release.promise })
    const first = put('a', 'one')
    await expect.poll(() => server.traffic.of('PutObject').requests).toBe(1)
    failNext('PutObject', { kind: 'delay', wait: release.promise, when: 'after' })
    const second = put('b', 'one')
    await expect.poll(async () => (await list()).keys).toEqual(['b'])
    release.resolve()
    await Promise.all([first, second])
    expect((await list()).keys).toEqual(['a', 'b'])
  })

  test('a delay may be given in milliseconds', async () => {
    failNext('PutObject', { kind: 'delay', wait: 1 })
    await put('a', 'one')
  })

  test('a request that hangs is answered never, done before or not', async () => {
    const abort = new AbortController()
    for (const when of ['before', 'after'] as const) {
      failNext('PutObject', { kind: 'hang', when })
      const asked = client.send(new PutObjectCommand({ Bucket, Key: when, Body: '.' }), { abortSignal: abort.signal })
      asked.catch(() => undefined)
      await expect.poll(() => server.fault).toBeUndefined()
    }
    expect((await list()).keys).toEqual(['after'])
  })

  test.each(['reset', 'nothing'] as const)('a late write lands though its client was told %s', async (told) => {
    const release = Promise.withResolvers<void>()
    failNext('PutObject', { kind: 'late', wait: release.promise, told })
    const abort = new AbortController()
    const asked = client.send(new PutObjectCommand({ Bucket, Key: 'a', Body: 'one' }), { abortSignal: abort.signal })
    const ended = expect(asked).rejects.toThrow()
    await expect.poll(() => server.fault).toBeUndefined()
    abort.abort()
    await ended
    expect(await refusal(get('a'))).toBe('404 NoSuchKey')
    release.resolve()
    await server.settled()
    expect(await read('a')).toBe('one')
  })

  test('a late write is checked when it lands: what came in between is kept', async () => {
    const release = Promise.withResolvers<void>()
    failNext('PutObject', { kind: 'late', wait: release.promise, told: 'reset' })
    await expect(put('a', 'late', { IfNoneMatch: '*' })).rejects.toThrow()
    await put('a', 'between', { IfNoneMatch: '*' })
    release.resolve()
    await server.settled()
    expect(await read('a')).toBe('between')
  })

  test('a late write does not land once the server is closed', async () => {
    const folder = await mkdtemp(join(tmpdir(), 's3-server-'))
    ends.unshift(() => rm(folder, { recursive: true }))
    const killed = await open({ folder })
    server = killed
    client = connect()
    const release = Promise.withResolvers<void>()
    failNext('PutObject', { kind: 'late', wait: release.promise, told: 'reset' })
    await expect(put('a', 'late')).rejects.toThrow()
    const { port } = killed
    await killed.close()
    server = await open({ folder, port })
    release.resolve()
    await killed.settled()
    expect((await list()).keys).toEqual([])
  })

  test('a flipped byte is found by the checksum that was written, and by nothing where there was none', async () => {
    failNext('PutObject', { kind: 'flip', at: 1 })
    await put('a', 'one')
    await expect(read('a')).rejects.toThrow(/checksum/i)
    client = connect({ requestChecksumCalculation: 'WHEN_REQUIRED', responseChecksumValidation: 'WHEN_REQUIRED' })
    await put('b', 'one')
    failNext('GetObject', { kind: 'flip', at: 1 })
    expect(await read('b')).toBe('ooe')
    server.flip(Bucket, 'b', 1)
    expect(await read('b')).toBe('one')
  })

  test('an answer may be cut within its body', async () => {
    await put('a', '0123456789')
    failNext('GetObject', { kind: 'cut', bytes: 4 })
    await expect(read('a')).rejects.toThrow()
    expect(await read('a')).toBe('0123456789')
  })

  test('a hook is told what is asked for', async () => {
    const seen: unknown[] = []
    server.fault = ({ number, operation, method, bucket, key }) => {
      seen.push([number, operation, method, bucket, key])
      return undefined
    }
    await put('a/b', 'one')
    await list({ Prefix: 'a/' })
    expect(seen).toEqual([
      [1, 'PutObject', 'PUT', Bucket, 'a/b'],
      [2, 'ListObjectsV2', 'GET', Bucket, ''],
    ])
  })

  test('requests and bytes are counted by kind', async () => {
    await put('a', 'one')
    await put('b', 'three')
    await read('b')
    expect(server.traffic.of('PutObject')).toEqual({ requests: 2, bytesIn: 8, bytesOut: 0 })
    expect(server.traffic.of('GetObject')).toEqual({ requests: 1, bytesIn: 0, bytesOut: 5 })
    expect(server.traffic.total).toEqual({ requests: 3, bytesIn: 8, bytesOut: 5 })
    server.traffic.reset()
    expect(server.traffic.total.requests).toBe(0)
  })

  test('a client that is connected goes on after a kill and a restart', async () => {
    const folder = await mkdtemp(join(tmpdir(), 's3-server-'))
    ends.unshift(() => rm(folder, { recursive: true }))
    server = await open({ folder })
    client = connect()
    await put('a', 'one')
    const { port } = server
    await server.close()
    await expect(read('a')).rejects.toThrow()
    server = await open({ folder, port })
    expect(await read('a')).toBe('one')
  })
})
