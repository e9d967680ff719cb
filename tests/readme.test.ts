import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Store } from 'rowcast'
import { createServer, memoryStorage, type ServerOptions } from 'rowcast/server'
import { describe, expect, test, vi } from 'vitest'
import { codeBlock } from './package/newcomer/code-block.ts'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
const example = codeBlock('README.md', "import { createStore, defineSchema, sql } from 'rowcast'")

/** Runs a piece of the README, and gives what it exports. */
async function load<Exports>(file: string, source: string): Promise<Exports> {
  writeFileSync(file, source)
  return (await import(/* @vite-ignore */ file)) as Exports
}

describe('README', () => {
  test('the example runs and prints what its comments say', async () => {
    const folder = new URL('./.generated/', import.meta.url)
    mkdirSync(folder, { recursive: true })
    const file = fileURLToPath(new URL('readme-example.ts', folder))
    writeFileSync(file, example)
    const printed: string[] = []
    const log = vi
      .spyOn(console, 'log')
      .mockImplementation((...values: unknown[]) => void printed.push(JSON.stringify(values)))
    try {
      await import(/* @vite-ignore */ file)
      const promised = [...example.matchAll(/console\.log\(.*\) \/\/ (.+)$/gm)].map((match) =>
        JSON.stringify([JSON.parse(match[1]!)]),
      )
      expect(promised.length).toBeGreaterThan(2)
      expect(printed).toEqual(expect.arrayContaining(promised))
      expect(printed.some((line) => line.startsWith('["Text size",[{"table":"annotation"'))).toBe(true)
    } finally {
      log.mockRestore()
    }
  })

  test('the example of editing together runs against a server', async () => {
    const folder = fileURLToPath(new URL('./.generated/readme/', import.meta.url))
    mkdirSync(folder, { recursive: true })
    const kept = mkdtempSync(join(folder, 'kept-'))
    const { schema } = await load<Pick<ServerOptions, 'schema'>>(
      join(folder, 'schema.ts'),
      codeBlock('README.md', '// src/schema.ts'),
    )
    const server = createServer({ schema, storage: memoryStorage() })
    await server.databases.create('notes')
    const { url, close } = await server.listen({ port: 0 })
    try {
      // Node has no OPFS and no tabs; the port is whichever is free.
      const source = codeBlock('README.md', '// src/store.ts, shared')
        .replaceAll('opfsPersistence', 'filePersistence')
        .replace(/tabPersistence\(.*\),\n/, `filePersistence({ directory: ${JSON.stringify(kept)} }),\n`)
        .replace('ws://127.0.0.1:8787', url)
      writeFileSync(join(folder, 'store.ts'), source)
      const { notes } = await load<{ notes: Store }>(
        join(folder, 'notes.ts'),
        `${codeBlock('README.md', "import { store } from './store'")}export { notes }\n`,
      )
      await notes.saved()
      expect(notes.table('note').has('a')).toBe(true)
      await notes.close()
    } finally {
      await close()
      await server.close()
      rmSync(kept, { recursive: true, force: true })
    }
  })

  test('the commands that it names exist', () => {
    const { scripts } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
      scripts: Record<string, string>
    }
    for (const [, script] of readme.matchAll(/npm (?:run )?(start|test)\b/g)) expect(scripts).toHaveProperty(script!)
  })
})
