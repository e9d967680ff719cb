import { request, type IncomingMessage } from 'node:http'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { serve } from 'rowcast/server'
import { describe, expect, onTestFinished, test } from 'vitest'
import { schema, startServer } from '../http/support.ts'
import { RawClient } from '../serve/raw-client.ts'

interface Target {
  readonly port: number
  readonly host: string
}

async function status({ port, host }: Target, method = 'GET'): Promise<number | undefined> {
  const asked = request({ host: '127.0.0.1', port, path: '/v1/databases', method, headers: { host } })
  asked.end()
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  response.resume()
  return response.statusCode
}

/** The first message on a WebSocket, or what it was refused with. */
async function greeting({ port, host }: Target): Promise<string> {
  const client = new RawClient(`http://127.0.0.1:${port}/v1/databases/a/sync`, { headers: { host } })
  try {
    await client.opened
  } catch (error) {
    return String(error)
  }
  return (await client.hello('a')).type
}

async function listen(host?: string): Promise<number> {
  const { server, ask } = startServer()
  await ask('PUT /v1/databases/a')
  return (await server.listen({ port: 0, host })).port
}

describe('a server on loopback', () => {
  test.each([
    'evil.test',
    'evil.test:80',
    '127.0.0.1.evil.test',
    'localhost.evil.test',
    '10.0.0.1',
    '[::2]',
    'x127.0.0.1',
  ])('answers nothing under the name %s, over HTTP or WebSocket', async (host) => {
    const port = await listen()
    expect(await status({ port, host })).toBe(421)
    expect(await status({ port, host }, 'OPTIONS')).toBe(421)
    expect(await greeting({ port, host })).toContain('421')
  })

  test.each(['localhost', 'LOCALHOST', '127.0.0.1', '127.0.0.53', '[::1]', 'app.localhost'])(
    'is served as %s, with a port or without',
    async (name) => {
      const port = await listen()
      for (const host of [name, `${name}:${port}`]) {
        expect(await status({ port, host })).toBe(200)
        expect(await greeting({ port, host })).toBe('rows')
      }
    },
  )
})

test('a server on every address is served under any name', async () => {
  const port = await listen('0.0.0.0')
  expect(await status({ port, host: 'rows.test' })).toBe(200)
  expect(await greeting({ port, host: 'rows.test' })).toBe('rows')
})

describe('a directory', () => {
  async function folder(): Promise<string> {
    const directory = await mkdtemp(join(tmpdir(), 'rowcast-lock-'))
    onTestFinished(() => rm(directory, { recursive: true, force: true }))
    return directory
  }

  test('is served by one server at a time', async () => {
    const directory = await folder()
    const first = await serve({ schema, directory, port: 0 })
    await expect(serve({ schema, directory, port: 0 })).rejects.toMatchObject({ code: 'directory-in-use' })
    expect((await fetch(`${first.url}/healthz`)).status).toBe(200)
    await first.close()
    const second = await serve({ schema, directory, port: 0 })
    await second.close()
  })

  test('is free again where its server did not get its port', async () => {
    const directory = await folder()
    const taken = createServer()
    taken.listen(0, '127.0.0.1')
    await once(taken, 'listening')
    onTestFinished(() => void taken.close())
    const { port } = taken.address() as AddressInfo
    await expect(serve({ schema, directory, port })).rejects.toMatchObject({ code: 'listen' })
    await (await serve({ schema, directory, port: 0 })).close()
  })
})
