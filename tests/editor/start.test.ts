import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'

const script = fileURLToPath(new URL('../../stories/editor/server/start.ts', import.meta.url))

describe('npm start', () => {
  const ends: (() => Promise<void>)[] = []

  afterEach(async () => {
    for (const end of ends.splice(0)) await end()
  })

  /** Starts it on an empty directory, and gives the address that it prints. */
  async function start(...args: readonly string[]): Promise<string> {
    const directory = await mkdtemp(join(tmpdir(), 'rowcast-start-'))
    const options = ['--data', directory, '--cities', '20', '--port', '0', ...args]
    const child = spawn(process.execPath, [script, ...options], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0' },
    })
    const exited = once(child, 'exit')
    ends.push(async () => {
      child.kill('SIGTERM')
      await exited
      await rm(directory, { recursive: true, force: true })
    })
    for await (const line of createInterface({ input: child.stdout })) {
      const [address] = /http:\S+/.exec(line) ?? []
      if (address !== undefined) return address
    }
    throw new Error('It ended without an address.')
  }

  it('serves the editor built, which never reloads by itself, and passes the sync server’s calls on', async () => {
    const address = await start()
    const page = await (await fetch(address)).text()
    expect(page).toMatch(/<script type="module"[^>]* src="\.\/assets\/[^"]+\.js">/)
    expect(page).not.toContain('@vite/client')
    const listed: unknown = await (await fetch(new URL('v1/databases', address))).json()
    expect(listed).toMatchObject({ databases: [{ name: 'cities' }] })
  })

  it('serves the sources with --dev', async () => {
    expect(await (await fetch(await start('--dev'))).text()).toContain('@vite/client')
  })
})
