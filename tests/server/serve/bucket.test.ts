import { once } from 'node:events'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { S3ObjectStore } from '../../../src/server/bucket/index.ts'
import { Bucket } from '../../support/s3-seat.ts'
import { S3Server, type S3ServerOptions } from '../../support/s3-server/index.ts'
import { RawClient } from './raw-client.ts'
import { a, folder, notes, run, serveOn, start, transact, type ServeProcess } from './serve-process.ts'

async function openBucket(options: S3ServerOptions = {}): Promise<S3Server> {
  const server = await S3Server.open({ buckets: [Bucket], ...options })
  onTestFinished(() => server.close())
  return server
}

function environment({ credentials }: S3Server): NodeJS.ProcessEnv {
  return { AWS_ACCESS_KEY_ID: credentials.accessKeyId, AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey }
}

/** A server with nothing of its own, on a machine of its own. */
async function serveBucket(server: S3Server, ...more: string[]): Promise<ServeProcess> {
  const options = ['--log', `s3://${Bucket}/p`, '--s3-endpoint', server.url, ...more]
  return serveOn(await folder(), options, environment(server))
}

/** Writes one after the other until it is refused; those that were acknowledged. */
async function writeUntilRefused(url: string, acknowledged: string[], name = 'n'): Promise<void> {
  for (let n = 0; ; n++) {
    const response = await transact(url, `${name}${n}`)
    if (response.status !== 200) throw new Error(`answered with ${response.status}`)
    acknowledged.push(`${name}${n}`)
  }
}

describe('rowcast serve with its log in a bucket', () => {
  test('loses nothing that was acknowledged when its machine is lost, and clients go on elsewhere', async () => {
    const server = await openBucket()
    const first = await serveBucket(server)
    expect((await fetch(`${first.url}${a}`, { method: 'PUT' })).status).toBe(201)
    const client = new RawClient(`${first.url}${a}/sync`)
    await client.opened
    const rows = await client.hello('a')
    const acknowledged: string[] = []
    const writing = writeUntilRefused(first.url, acknowledged)
    await client.told('n20')
    first.child.kill('SIGKILL')
    await expect(writing).rejects.toThrow('fetch failed')

    const second = await serveBucket(server)
    expect((await notes(second.url)).slice(0, acknowledged.length)).toEqual(acknowledged)
    const again = new RawClient(`${second.url}${a}/sync`)
    await again.opened
    expect(await again.helloAgain('a', rows['position'])).toMatchObject({ reset: false })
    await again.told('n20')
    second.child.kill('SIGTERM')
    expect(await once(second.child, 'exit')).toEqual([0, null])
    expect(second.problem()).toMatch(/^No authentication.*\n$/)
  })

  test('goes on by itself after the bucket was away', async () => {
    const server = await openBucket()
    const { url } = await serveBucket(server)
    expect((await fetch(`${url}${a}`, { method: 'PUT' })).status).toBe(201)
    expect((await transact(url, 'before')).status).toBe(200)
    let refused = 0
    server.fault = () => {
      refused += 1
      return { kind: 'answer', code: 'ServiceUnavailable' }
    }
    const meanwhile = transact(url, 'meanwhile')
    await expect.poll(() => refused).toBeGreaterThan(3)
    server.fault = undefined
    expect((await meanwhile).status).toBe(200)
    expect(await notes(url)).toEqual(['before', 'meanwhile'])
  })

  test('ends when it is told to, though the bucket says nothing', { timeout: 30_000 }, async () => {
    const server = await openBucket()
    const { child, url, problem } = await serveBucket(server)
    expect((await fetch(`${url}${a}`, { method: 'PUT' })).status).toBe(201)
    let asked = 0
    server.fault = () => {
      asked += 1
      return { kind: 'hang' }
    }
    const meanwhile = Promise.allSettled([transact(url, 'meanwhile')])
    await expect.poll(() => asked).toBeGreaterThan(0)
    child.kill('SIGTERM')
    expect(await once(child, 'exit')).toEqual([1, null])
    expect(problem()).toContain('not acknowledged')
    expect(await meanwhile).toMatchObject([{ status: 'rejected', reason: { message: 'fetch failed' } }])
  })

  test('ends when it is told to while it still looks for the bucket', async () => {
    const server = await openBucket()
    let asked = 0
    server.fault = () => {
      asked += 1
      return { kind: 'hang' }
    }
    const options = ['--schema', 'schema.json', '--port', '0', '--log', `s3://${Bucket}/p`, '--s3-endpoint', server.url]
    const child = start(await folder(), ['serve', ...options], environment(server))
    await expect.poll(() => asked, { timeout: 10_000 }).toBeGreaterThan(0)
    child.kill('SIGTERM')
    expect(await once(child, 'exit')).toEqual([0, null])
  })

  test('says at start that a bucket does not do, or can not be had', async () => {
    const cwd = await folder()
    const server = await openBucket({ ignores: ['if-none-match'] })
    const serve = ['serve', '--schema', 'schema.json', '--port', '0', '--s3-endpoint', server.url]
    const env = environment(server)
    const unfit = await run(cwd, [...serve, '--log', `s3://${Bucket}/p`], env)
    expect([unfit.code, unfit.err]).toEqual([
      2,
      expect.stringMatching(/s3:\/\/tests\/p\/ can't hold a log: .*conditional/),
    ])
    const missing = await run(cwd, [...serve, '--log', 's3://missing'], env)
    expect([missing.code, missing.err]).toEqual([2, expect.stringMatching(/404 NoSuchBucket/)])
    expect(missing.err).not.toContain(server.credentials.secretAccessKey)
  })

  test('says at start what was damaged in its bucket', async () => {
    const server = await openBucket()
    const { child } = await serveBucket(server)
    child.kill('SIGTERM')
    await once(child, 'exit')
    const { url: endpoint, credentials } = server
    const store = new S3ObjectStore({ url: `s3://${Bucket}/p`, endpoint, credentials })
    await store.put('secret', new Uint8Array())
    await expect(serveBucket(server)).rejects.toThrow(`rowcast: ${store.address}secret is damaged`)
    server.flip(Bucket, 'p/cluster.json', 20)
    await expect(serveBucket(server)).rejects.toThrow(`rowcast: ${store.address}cluster.json is not as`)
  })

  test('keeps the number of its shards', async () => {
    const server = await openBucket()
    const { child } = await serveBucket(server, '--shards', '3', '--commit-every', '5')
    child.kill('SIGTERM')
    await once(child, 'exit')
    await expect(serveBucket(server, '--shards', '4')).rejects.toThrow(/has 3 shards, not 4/)
  })
})

test('rowcast serve on a directory keeps its snapshots in a bucket, if it is told so', async () => {
  const server = await openBucket()
  const cwd = await folder()
  const options = ['--data', 'data', '--s3', `s3://${Bucket}/p`, '--s3-endpoint', server.url]
  const first = await serveOn(cwd, options, environment(server))
  expect((await fetch(`${first.url}${a}`, { method: 'PUT' })).status).toBe(201)
  expect((await transact(first.url, 'n')).status).toBe(200)
  first.child.kill('SIGTERM')
  await once(first.child, 'exit')
  await expect(stat(join(cwd, 'data/a/snapshots'))).rejects.toThrow('ENOENT')
  const second = await serveOn(cwd, options, environment(server))
  expect(await notes(second.url)).toEqual(['n'])
})
