import { Readable } from 'node:stream'
import { PutObjectCommand } from '@aws-sdk/client-s3'
import { expect, test } from 'vitest'
import { Bucket, refusal, prepareS3 } from '../../../support/s3-seat.ts'

const s3 = prepareS3()

test('a body that does not have its Content-MD5 is 400 BadDigest', async () => {
  expect(await refusal(s3.put('a', 'one', { ContentMD5: '1B2M2Y8AsgTpgAmY7PhCfg==' }))).toBe('400 BadDigest')
  await s3.put('a', Buffer.alloc(0), { ContentMD5: '1B2M2Y8AsgTpgAmY7PhCfg==' })
})

test.each([
  ['CRC32', { ChecksumCRC32: 'AAAAAA==' }],
  ['SHA-1', { ChecksumSHA1: 'AAAAAAAAAAAAAAAAAAAAAAAAAAA=' }],
  ['SHA-256', { ChecksumSHA256: '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=' }],
])('a body that does not have its %s is 400 BadDigest, and nothing is stored', async (_name, checksum) => {
  expect(await refusal(s3.put('a', 'one', checksum))).toBe('400 BadDigest')
  expect((await s3.list()).keys).toEqual([])
})

test.each(['CRC32', 'SHA1', 'SHA256'] as const)('a checksum by %s comes back with the object', async (algorithm) => {
  await s3.put('a', 'one', { ChecksumAlgorithm: algorithm })
  expect((await s3.get('a', { ChecksumMode: 'ENABLED' }))[`Checksum${algorithm}`]).toMatch(/=$/)
})

test('a checksum that is not known here is 501', async () => {
  expect(await refusal(s3.put('a', 'one', { ChecksumCRC64NVME: 'AAAAAAAAAAA=' }))).toBe('501 NotImplemented')
})

test('a stream comes in chunks with its checksum behind it, and is stored without the framing', async () => {
  const text = 'a long text of some chunks '.repeat(10_000)
  const Body = Readable.from([Buffer.from(text.slice(0, 70_000)), Buffer.from(text.slice(70_000))])
  let encoding: unknown
  s3.server.fault = ({ headers }) => void (encoding ??= headers['content-encoding'])
  await s3.client.send(new PutObjectCommand({ Bucket, Key: 'a', Body, ContentLength: text.length }))
  expect(encoding).toBe('aws-chunked')
  const { Body: stored, ContentEncoding, ChecksumCRC32 } = await s3.get('a', { ChecksumMode: 'ENABLED' })
  expect(await stored?.transformToString()).toBe(text)
  expect(ContentEncoding).toBeUndefined()
  expect(ChecksumCRC32).toBeDefined()
})
