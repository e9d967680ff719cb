import { DeleteObjectCommand } from '@aws-sdk/client-s3'
import { expect, test } from 'vitest'
import { Bucket, refusal, prepareS3 } from '../../../support/s3-seat.ts'

const s3 = prepareS3()

test('If-None-Match: * writes what is not there, and is 412 once it is', async () => {
  await s3.put('a', 'one', { IfNoneMatch: '*' })
  expect(await refusal(s3.put('a', 'two', { IfNoneMatch: '*' }))).toBe('412 PreconditionFailed')
  expect(await s3.read('a')).toBe('one')
})

test('of many that create one object at the same time, one succeeds', async () => {
  const tries = await Promise.allSettled(
    Array.from({ length: 20 }, (_, i) => s3.put('a', `${i}`, { IfNoneMatch: '*' })),
  )
  expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
})

test('If-None-Match: * writes again what was deleted', async () => {
  await s3.put('a', 'one')
  await s3.client.send(new DeleteObjectCommand({ Bucket, Key: 'a' }))
  await s3.put('a', 'two', { IfNoneMatch: '*' })
  expect(await s3.read('a')).toBe('two')
})

test('If-Match writes over the object it names, and is 412 over another', async () => {
  const { ETag } = await s3.put('a', 'one')
  await s3.put('a', 'two', { IfMatch: ETag })
  expect(await refusal(s3.put('a', 'three', { IfMatch: ETag }))).toBe('412 PreconditionFailed')
  expect(await s3.read('a')).toBe('two')
})

test('If-Match is 404 where there is no object', async () => {
  expect(await refusal(s3.put('a', 'one', { IfMatch: '"x"' }))).toBe('404 NoSuchKey')
})

test('a write with If-None-Match of an ETag is 501', async () => {
  expect(await refusal(s3.put('a', 'one', { IfNoneMatch: '"x"' }))).toBe('501 NotImplemented')
})

test('If-Match deletes the object it names only', async () => {
  const { ETag } = await s3.put('a', 'one')
  const remove = (IfMatch: string | undefined) => s3.client.send(new DeleteObjectCommand({ Bucket, Key: 'a', IfMatch }))
  expect(await refusal(remove('"x"'))).toBe('412 PreconditionFailed')
  await remove(ETag)
  expect((await s3.list()).keys).toEqual([])
})

test('a server that takes no notice of conditions, as some stores do, writes over what is there', async () => {
  s3.server = await s3.open({ ignores: ['if-none-match', 'if-match'] })
  s3.client = s3.connect()
  await s3.put('a', 'one', { IfNoneMatch: '*' })
  await s3.put('a', 'two', { IfNoneMatch: '*' })
  await s3.put('a', 'three', { IfMatch: '"x"' })
  expect(await s3.read('a')).toBe('three')
})
