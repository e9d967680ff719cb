import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { BucketError, probeBucket, S3ObjectStore } from '../../../src/server/bucket/index.ts'
import { Bucket, prepareS3 } from '../../support/s3-seat.ts'
import type { Fault } from '../../support/s3-server/index.ts'

const s3 = prepareS3()
const text = (value: string): Uint8Array => new TextEncoder().encode(value)

function open(url = `s3://${Bucket}/a/b`, patienceMs?: number): S3ObjectStore {
  const { url: endpoint, credentials } = s3.server
  return new S3ObjectStore({ url, endpoint, credentials }, patienceMs === undefined ? {} : { patienceMs })
}

async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const found: Item[] = []
  for await (const item of items) found.push(item)
  return found
}

/** The next requests of a kind fail, each in its way. */
function fail(operation: 'PutObject' | 'GetObject' | 'ListObjectsV2' | 'DeleteObjects', ...faults: Fault[]): void {
  s3.server.fault = (request) => (request.operation === operation ? faults.shift() : undefined)
}

test('objects are written, read, replaced and deleted, under the prefix only', async () => {
  const store = open()
  expect(await store.get('x/one')).toBeUndefined()
  await store.put('x/one', text('1'))
  await store.put('x/one', text('2'))
  expect(await store.get('x/one')).toEqual(text('2'))
  expect((await s3.list()).keys).toEqual(['a/b/x/one'])
  await s3.put('a/other', 'kept')
  await store.delete(['x/one', 'other', 'none'])
  await store.delete([])
  expect((await s3.list()).keys).toEqual(['a/other'])
})

test('an object is made once', async () => {
  const store = open()
  expect(await store.create('one', text('mine'))).toBe(true)
  expect(await store.create('one', text('yours'))).toBe(false)
  expect(await store.get('one')).toEqual(text('mine'))
  const made = await Promise.all(Array.from({ length: 10 }, (_, n) => open().create('two', text(`${n}`))))
  expect(made.filter(Boolean)).toHaveLength(1)
  expect(await store.get('two')).toEqual(text(`${made.indexOf(true)}`))
})

const lost: readonly [string, ...Fault[]][] = [
  ['its answer is lost', { kind: 'reset', when: 'after' }],
  ['its connection is reset before', { kind: 'reset' }],
  ['it is told to be unavailable', { kind: 'answer', code: 'ServiceUnavailable' }],
  ['it was done and is told to have failed', { kind: 'answer', code: 'InternalError', when: 'after' }],
  ['another one is under way', { kind: 'answer', code: 'ConditionalRequestConflict' }],
  ['it is to slow down, twice', { kind: 'answer', code: 'SlowDown' }, { kind: 'answer', code: 'SlowDown' }],
  ['the clocks differ', { kind: 'answer', code: 'RequestTimeTooSkewed' }],
  ['it comes late, after its connection was reset', { kind: 'late', wait: 100, told: 'reset' }],
]

test.each(lost)('an object is made once, and its maker knows, where %s', async (_what, ...faults) => {
  const store = open()
  fail('PutObject', ...faults)
  expect(await store.create('one', text('mine'))).toBe(true)
  await s3.server.settled()
  expect(await store.get('one')).toEqual(text('mine'))
  expect(await store.create('one', text('yours'))).toBe(false)
})

test('who lost his answer and the race knows it', async () => {
  const store = open()
  await store.create('one', text('theirs'))
  fail('PutObject', { kind: 'reset' }, { kind: 'answer', code: 'InternalError' })
  expect(await store.create('one', text('mine'))).toBe(false)
})

test('what is refused for the moment is asked for again', async () => {
  const store = open()
  fail('PutObject', { kind: 'answer', code: 'SlowDown' }, { kind: 'reset' })
  await store.put('one', text('1'))
  fail('GetObject', { kind: 'cut', bytes: 0 }, { kind: 'reset' })
  expect(await store.get('one')).toEqual(text('1'))
  fail('ListObjectsV2', { kind: 'answer', code: 'InternalError' })
  expect(await all(store.list(''))).toEqual([{ key: 'one', size: 1 }])
  fail('DeleteObjects', { kind: 'reset', when: 'after' })
  await store.delete(['one'])
  expect(await store.get('one')).toBeUndefined()
})

test('a store that says nothing is waited for, and told', async () => {
  const store = open(undefined, 200)
  s3.server.fault = () => ({ kind: 'answer', code: 'ServiceUnavailable' })
  await expect(store.get('one')).rejects.toMatchObject({
    code: 'bucket',
    status: 503,
    message: expect.stringContaining('s3://tests/a/b/ could not read "one" (503') as string,
  })
})

test('an object that takes long to come is read as long as more of it comes', async () => {
  const drip = async (response: ServerResponse): Promise<void> => {
    response.writeHead(200, { 'content-length': 10 })
    for (let n = 0; n < 10; n++) {
      response.write(`${n}`)
      await delay(50)
    }
    response.end()
  }
  const slow = createServer((_request, response) => void drip(response))
  onTestFinished(() => void slow.close())
  await new Promise<void>((resolve) => slow.listen(0, '127.0.0.1', resolve))
  const endpoint = `http://127.0.0.1:${(slow.address() as AddressInfo).port}`
  const { credentials } = s3.server
  const store = new S3ObjectStore({ url: `s3://${Bucket}`, endpoint, credentials }, { patienceMs: 0, attemptMs: 300 })
  expect(await store.get('one')).toEqual(text('0123456789'))
})

test('a request that is never answered is made again long before a slow answer would be given up', async () => {
  const { url: endpoint, credentials } = s3.server
  const store = new S3ObjectStore({ url: `s3://${Bucket}`, endpoint, credentials }, { attemptMs: 1_000_000 })
  fail('PutObject', { kind: 'hang', when: 'before' })
  expect(await store.create('one', text('mine'))).toBe(true)
  fail('GetObject', { kind: 'hang', when: 'after' })
  expect(await store.get('one')).toEqual(text('mine'))
}, 30_000)

test('who is told that an object is there asks for it until the store says what it is', async () => {
  const store = open(undefined, 0)
  await store.create('one', text('theirs'))
  fail('GetObject', { kind: 'answer', code: 'ServiceUnavailable' }, { kind: 'reset' })
  expect(await store.create('one', text('mine'))).toBe(false)
})

test('what it refuses for good is told at once, and who gives up is let go', async () => {
  await expect(open('s3://nowhere').get('one')).rejects.toThrow(
    /s3:\/\/nowhere\/ could not read "one" \(404 NoSuchBucket/,
  )
  const { url: endpoint } = s3.server
  const stranger = new S3ObjectStore({
    url: `s3://${Bucket}`,
    endpoint,
    credentials: { accessKeyId: 'test', secretAccessKey: 'very-secret' },
  })
  const refused = (await stranger.create('one', text('1')).catch((error: unknown) => error)) as BucketError
  expect(refused).toBeInstanceOf(BucketError)
  expect(refused.status).toBe(403)
  expect(refused.message).not.toContain('very-secret')

  s3.server.fault = () => ({ kind: 'hang' })
  const leaving = new AbortController()
  const made = open().create('one', text('1'), { signal: leaving.signal })
  leaving.abort(new Error('left'))
  await expect(made).rejects.toThrow('left')
})

test('keys are listed in order, page by page, after a key if one is given', async () => {
  const store = open()
  const keys = Array.from({ length: 1_005 }, (_, n) => `k/${String(n).padStart(4, '0')}`)
  for (let from = 0; from < keys.length; from += 100)
    await Promise.all(keys.slice(from, from + 100).map((key) => store.put(key, text('x'))))
  await store.put('l', text('yz'))
  expect((await all(store.list('k/'))).map(({ key }) => key)).toEqual(keys)
  expect(await all(store.list('k/', { after: 'k/1003' }))).toEqual([{ key: 'k/1004', size: 1 }])
  expect(await all(store.list('k/', { after: 'k/1003x' }))).toEqual([{ key: 'k/1004', size: 1 }])
  expect(await all(store.list('none/'))).toEqual([])
  await store.delete(keys)
  expect(await all(store.list(''))).toEqual([{ key: 'l', size: 2 }])
})

test('a bucket that honours conditions passes the probe, and nothing is left of it', async () => {
  await probeBucket(open())
  expect((await s3.list()).keys).toEqual([])
})

test('one that can not be reached is told, by the first thing that was tried', async () => {
  s3.server.fault = () => ({ kind: 'answer', code: 'ServiceUnavailable' })
  await expect(probeBucket(open(undefined, 100))).rejects.toThrow(/could not read "probes.*503/)
  s3.server.fault = ({ operation }) =>
    operation === 'PutObject' || operation === 'DeleteObjects' ? { kind: 'answer', code: 'AccessDenied' } : undefined
  await expect(probeBucket(open(undefined, 100))).rejects.toThrow(/could not make "probes.*403/)
})

test('one that does not is refused with the reason', async () => {
  s3.server = await s3.open({ ignores: ['if-none-match'] })
  await expect(probeBucket(open())).rejects.toThrow(
    /can't hold a log: it lets an object be made where there is one.*conditional writes/,
  )
  s3.client = s3.connect()
  expect((await s3.list()).keys).toEqual([])
})

test.each(['bucket', 's3://', 's3://B', 'https://bucket/x', 's3://bucket/../x', 's3://bucket/a b', 's3://bucket/%2e'])(
  '%s is no address of a bucket',
  (url) => {
    expect(() => new S3ObjectStore({ url })).toThrow(expect.objectContaining({ code: 'options' }))
  },
)
