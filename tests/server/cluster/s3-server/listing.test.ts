import { DeleteObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3'
import { expect, test } from 'vitest'
import { Bucket, prepareS3 } from '../../../support/s3-seat.ts'

const s3 = prepareS3()

test('keys come in the order of their UTF-8 bytes', async () => {
  // UTF-16 has the surrogates of 😀 below U+FF01, and a language has ä beside a.
  const keys = ['B', 'a', 'a/', 'a0', 'b', 'ä', '！', '😀']
  for (const key of keys.toReversed()) await s3.put(key, '.')
  expect((await s3.list()).keys).toEqual(keys)
})

test('a listing has sizes, ETags and dates', async () => {
  const { ETag } = await s3.put('a', 'one')
  const { Contents } = await s3.client.send(new ListObjectsV2Command({ Bucket }))
  expect(Contents).toMatchObject([{ Key: 'a', Size: 3, ETag }])
  expect(Contents?.[0]?.LastModified).toBeInstanceOf(Date)
})

test('a prefix leaves out what does not begin with it', async () => {
  for (const key of ['a', 'b/1', 'b/2', 'b0', 'c']) await s3.put(key, '.')
  expect((await s3.list({ Prefix: 'b/' })).keys).toEqual(['b/1', 'b/2'])
  expect((await s3.list({ Prefix: 'x' })).keys).toEqual([])
})

test('a delimiter rolls up what goes on behind it', async () => {
  for (const key of ['a', 'b/1', 'b/2/3', 'b/2/4', 'c/']) await s3.put(key, '.')
  expect(await s3.list({ Delimiter: '/' })).toMatchObject({ keys: ['a'], prefixes: ['b/', 'c/'], KeyCount: 3 })
  expect(await s3.list({ Delimiter: '/', Prefix: 'b/' })).toMatchObject({ keys: ['b/1'], prefixes: ['b/2/'] })
})

test('start-after begins behind a key, be it there or not', async () => {
  for (const key of ['a', 'b', 'd']) await s3.put(key, '.')
  expect((await s3.list({ StartAfter: 'b' })).keys).toEqual(['d'])
  expect((await s3.list({ StartAfter: 'aa' })).keys).toEqual(['b', 'd'])
  expect((await s3.list({ StartAfter: 'a', Prefix: 'd' })).keys).toEqual(['d'])
})

test('pages together have each key and each prefix once', async () => {
  for (const key of ['a', 'b/1', 'b/2', 'c', 'd/1', 'd/2', 'e', 'ü/1']) await s3.put(key, '.')
  const seen: (string | undefined)[] = []
  let ContinuationToken: string | undefined
  let pages = 0
  do {
    const page = await s3.list({ Delimiter: '/', MaxKeys: 2, ContinuationToken })
    expect(page.keys.length + page.prefixes.length).toBe(page.KeyCount)
    expect(page.IsTruncated).toBe(page.NextContinuationToken !== undefined)
    seen.push(...page.keys, ...page.prefixes)
    ContinuationToken = page.NextContinuationToken
    pages++
  } while (ContinuationToken !== undefined)
  expect(seen).toHaveLength(6)
  expect(new Set(seen)).toEqual(new Set(['a', 'b/', 'c', 'd/', 'e', 'ü/']))
  expect(pages).toBe(3)
})

test('a page has 1,000 keys at most, and the next goes on', async () => {
  await Promise.all(Array.from({ length: 1001 }, (_, i) => s3.put(String(i).padStart(4, '0'), '.')))
  const first = await s3.list({ MaxKeys: 5000 })
  expect(first.keys).toHaveLength(1000)
  expect((await s3.list({ ContinuationToken: first.NextContinuationToken })).keys).toEqual(['1000'])
})

test('max-keys of 0 lists nothing, and there is no more', async () => {
  await s3.put('a', '.')
  expect(await s3.list({ MaxKeys: 0 })).toMatchObject({ keys: [], IsTruncated: false })
})

test('keys may be asked for in the encoding of URLs', async () => {
  await s3.put('a b\u0001', '.')
  expect((await s3.list({ EncodingType: 'url' })).keys).toEqual(['a%20b%01'])
})

test('what was written is listed at once, and what was deleted is not', async () => {
  for (let i = 0; i < 20; i++) {
    await s3.put(`${i % 3}`, `${i}`)
    expect((await s3.list()).keys).toContain(`${i % 3}`)
    await s3.client.send(new DeleteObjectCommand({ Bucket, Key: `${i % 3}` }))
    expect((await s3.list()).keys).toEqual([])
  }
})
