import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { DeleteObjectCommand } from '@aws-sdk/client-s3'
import { describe, expect, test } from 'vitest'
import { Bucket, refusal, prepareS3 } from '../../../support/s3-seat.ts'

const s3 = prepareS3()

describe('a folder', () => {
  test('keeps what was written for the server that is opened on it next', async () => {
    const folder = await s3.makeFolder()
    const before = await s3.open({ folder })
    s3.server = before
    s3.client = s3.connect()
    await s3.put('a/ä', 'one', { Metadata: { author: 'me' } })
    await s3.put('b', 'two')
    await s3.client.send(new DeleteObjectCommand({ Bucket, Key: 'b' }))
    const { port } = before
    await before.close()
    s3.server = await s3.open({ folder, port })
    s3.client = s3.connect()
    expect((await s3.list()).keys).toEqual(['a/ä'])
    expect(await refusal(s3.put('a/ä', 'two', { IfNoneMatch: '*' }))).toBe('412 PreconditionFailed')
    const { Body, Metadata } = await s3.get('a/ä')
    expect(await Body?.transformToString()).toBe('one')
    expect(Metadata).toEqual({ author: 'me' })
  })
})

describe('a process of its own', () => {
  const main = fileURLToPath(new URL('../../../support/s3-server/main.ts', import.meta.url))

  async function start(folder: string): Promise<ChildProcess> {
    const child = spawn(process.execPath, [main, '--folder', folder, '--bucket', Bucket], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    s3.ends.push(() => kill(child))
    const [line] = (await once(child.stdout, 'data')) as [Buffer]
    const { url, ...credentials } = JSON.parse(line.toString()) as { url: string } & typeof s3.server.credentials
    s3.client = s3.connect({ endpoint: url, credentials })
    return child
  }

  async function kill(child: ChildProcess): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }

  test('loses nothing that it acknowledged when it is killed', async () => {
    const folder = await s3.makeFolder()
    const killed = await start(folder)
    const acknowledged: string[] = []
    const writes = Array.from({ length: 200 }, async (_, i) => {
      const key = String(i).padStart(3, '0')
      await s3.put(key, key, { IfNoneMatch: '*' })
      acknowledged.push(key)
      if (acknowledged.length === 20) await kill(killed)
    })
    await Promise.allSettled(writes)
    expect(acknowledged.length).toBeLessThan(writes.length)
    await start(folder)
    const { keys } = await s3.list()
    expect(keys).toEqual(expect.arrayContaining(acknowledged))
    for (const key of acknowledged) expect(await s3.read(key)).toBe(key)
  })
})
