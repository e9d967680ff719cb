import { PutObjectCommand } from '@aws-sdk/client-s3'
import { expect, test } from 'vitest'
import { Bucket, refusal, prepareS3 } from '../../../support/s3-seat.ts'

const s3 = prepareS3()

test.each([
  ['SlowDown', 503],
  ['ServiceUnavailable', 503],
  ['InternalError', 500],
  ['ConditionalRequestConflict', 409],
] as const)('a write answered with %s is not done', async (code, status) => {
  s3.failNext('PutObject', { kind: 'answer', code })
  expect(await refusal(s3.put('a', 'one'))).toBe(`${status} ${code}`)
  expect((await s3.list()).keys).toEqual([])
  await s3.put('a', 'one')
})

test('a write may be answered with an error though it was done', async () => {
  s3.failNext('PutObject', { kind: 'answer', code: 'InternalError', when: 'after' })
  expect(await refusal(s3.put('a', 'one'))).toBe('500 InternalError')
  expect(await s3.read('a')).toBe('one')
})

test('the SDK tries again by itself, and takes its own object for that of another', async () => {
  s3.client = s3.connect({ maxAttempts: 3 })
  s3.failNext('PutObject', { kind: 'reset', when: 'after' })
  expect(await refusal(s3.put('a', 'one', { IfNoneMatch: '*' }))).toBe('412 PreconditionFailed')
  expect(await s3.read('a')).toBe('one')
})

test('a reset before the write stores nothing, after it everything', async () => {
  s3.failNext('PutObject', { kind: 'reset' })
  await expect(s3.put('a', 'one')).rejects.toMatchObject({ code: 'ECONNRESET' })
  s3.failNext('PutObject', { kind: 'reset', when: 'after' })
  await expect(s3.put('b', 'one')).rejects.toMatchObject({ code: 'ECONNRESET' })
  expect((await s3.list()).keys).toEqual(['b'])
})

test('a delay holds a request back before it is done, or after', async () => {
  const release = Promise.withResolvers<void>()
  s3.failNext('PutObject', { kind: 'delay', wait: release.promise })
  const first = s3.put('a', 'one')
  await expect.poll(() => s3.server.traffic.of('PutObject').requests).toBe(1)
  s3.failNext('PutObject', { kind: 'delay', wait: release.promise, when: 'after' })
  const second = s3.put('b', 'one')
  await expect.poll(async () => (await s3.list()).keys).toEqual(['b'])
  release.resolve()
  await Promise.all([first, second])
  expect((await s3.list()).keys).toEqual(['a', 'b'])
})

test('a delay may be given in milliseconds', async () => {
  s3.failNext('PutObject', { kind: 'delay', wait: 1 })
  await s3.put('a', 'one')
  expect(await s3.read('a')).toBe('one')
})

test('a request that hangs is answered never, done before or not', async () => {
  const abort = new AbortController()
  const asked: Promise<unknown>[] = []
  for (const when of ['before', 'after'] as const) {
    s3.failNext('PutObject', { kind: 'hang', when })
    const { signal: abortSignal } = abort
    asked.push(s3.client.send(new PutObjectCommand({ Bucket, Key: when, Body: '.' }), { abortSignal }))
    await expect.poll(() => s3.server.fault).toBeUndefined()
  }
  expect((await s3.list()).keys).toEqual(['after'])
  abort.abort()
  const left = { status: 'rejected', reason: expect.objectContaining({ name: 'AbortError' }) as unknown }
  expect(await Promise.allSettled(asked)).toEqual([left, left])
})

test.each(['reset', 'nothing'] as const)('a late write lands though its client was told %s', async (told) => {
  const release = Promise.withResolvers<void>()
  s3.failNext('PutObject', { kind: 'late', wait: release.promise, told })
  const abort = new AbortController()
  const asked = s3.client.send(new PutObjectCommand({ Bucket, Key: 'a', Body: 'one' }), { abortSignal: abort.signal })
  const outcome = asked.then(
    () => 'answered',
    () => 'failed',
  )
  await expect.poll(() => s3.server.fault).toBeUndefined()
  abort.abort()
  expect(await outcome).toBe('failed')
  expect(await refusal(s3.get('a'))).toBe('404 NoSuchKey')
  release.resolve()
  await s3.server.settled()
  expect(await s3.read('a')).toBe('one')
})

test('a late write is checked when it lands: what came in between is kept', async () => {
  const release = Promise.withResolvers<void>()
  s3.failNext('PutObject', { kind: 'late', wait: release.promise, told: 'reset' })
  await expect(s3.put('a', 'late', { IfNoneMatch: '*' })).rejects.toThrow()
  await s3.put('a', 'between', { IfNoneMatch: '*' })
  release.resolve()
  await s3.server.settled()
  expect(await s3.read('a')).toBe('between')
})

test('a late write does not land once the server is closed', async () => {
  const folder = await s3.makeFolder()
  const killed = await s3.open({ folder })
  s3.server = killed
  s3.client = s3.connect()
  const release = Promise.withResolvers<void>()
  s3.failNext('PutObject', { kind: 'late', wait: release.promise, told: 'reset' })
  await expect(s3.put('a', 'late')).rejects.toThrow()
  const { port } = killed
  await killed.close()
  release.resolve()
  await killed.settled()
  s3.server = await s3.open({ folder, port })
  expect((await s3.list()).keys).toEqual([])
})

test('a flipped byte is found by the checksum that was written, and by nothing where there was none', async () => {
  s3.failNext('PutObject', { kind: 'flip', at: 1 })
  await s3.put('a', 'one')
  await expect(s3.read('a')).rejects.toThrow(/checksum/i)
  s3.client = s3.connect({ requestChecksumCalculation: 'WHEN_REQUIRED', responseChecksumValidation: 'WHEN_REQUIRED' })
  await s3.put('b', 'one')
  s3.failNext('GetObject', { kind: 'flip', at: 1 })
  expect(await s3.read('b')).toBe('ooe')
  s3.server.flip(Bucket, 'b', 1)
  expect(await s3.read('b')).toBe('one')
})

test('a flip leaves alone what a refused write did not write, and what is not there', async () => {
  await s3.put('a', 'one')
  s3.failNext('PutObject', { kind: 'flip', at: 1 })
  expect(await refusal(s3.put('a', 'two', { IfNoneMatch: '*' }))).toBe('412 PreconditionFailed')
  expect(await s3.read('a')).toBe('one')
  s3.failNext('GetObject', { kind: 'flip', at: 1 })
  expect(await refusal(s3.get('none'))).toBe('404 NoSuchKey')
})

test('an answer may be cut within its body', async () => {
  await s3.put('a', '0123456789')
  s3.failNext('GetObject', { kind: 'cut', bytes: 4 })
  await expect(s3.read('a')).rejects.toThrow()
  expect(await s3.read('a')).toBe('0123456789')
})

test('a hook is told what is asked for', async () => {
  const seen: unknown[] = []
  s3.server.fault = ({ number, operation, method, bucket, key }) => {
    seen.push([number, operation, method, bucket, key])
    return undefined
  }
  await s3.put('a/b', 'one')
  await s3.list({ Prefix: 'a/' })
  expect(seen).toEqual([
    [1, 'PutObject', 'PUT', Bucket, 'a/b'],
    [2, 'ListObjectsV2', 'GET', Bucket, ''],
  ])
})

test('requests and bytes are counted by kind', async () => {
  await s3.put('a', 'one')
  await s3.put('b', 'three')
  await s3.read('b')
  expect(s3.server.traffic.of('PutObject')).toEqual({ requests: 2, bytesIn: 8, bytesOut: 0 })
  expect(s3.server.traffic.of('GetObject')).toEqual({ requests: 1, bytesIn: 0, bytesOut: 5 })
  expect(s3.server.traffic.total).toEqual({ requests: 3, bytesIn: 8, bytesOut: 5 })
  s3.server.traffic.reset()
  expect(s3.server.traffic.total.requests).toBe(0)
})

test('a client that is connected goes on after a kill and a restart', async () => {
  const folder = await s3.makeFolder()
  s3.server = await s3.open({ folder })
  s3.client = s3.connect()
  await s3.put('a', 'one')
  const { port } = s3.server
  await s3.server.close()
  await expect(s3.read('a')).rejects.toThrow()
  s3.server = await s3.open({ folder, port })
  expect(await s3.read('a')).toBe('one')
})
