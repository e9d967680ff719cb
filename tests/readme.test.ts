import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Store } from 'rowcast'
import { createServer, memoryStorage, type ServerOptions } from 'rowcast/server'
import { describe, expect, test, vi } from 'vitest'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
const example = /```ts\n([\s\S]*?)```/.exec(readme)![1]!

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
    const together = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)][1]![1]!
    const definition = example.slice(0, example.indexOf('const store ='))
    const folder = fileURLToPath(new URL('./.generated/', import.meta.url))
    mkdirSync(folder, { recursive: true })
    const kept = mkdtempSync(join(folder, 'kept-'))
    const file = join(folder, 'readme-together.ts')
    // Node has no OPFS; the port is whichever is free.
    const source = `${definition}${together}\nexport { schema, store }\n`
      .replace('opfsPersistence }', 'filePersistence }')
      .replace("opfsPersistence({ name: 'scene-42' })", `filePersistence({ directory: ${JSON.stringify(kept)} })`)
    const { default: schema } = await load<{ default: ServerOptions['schema'] }>(
      file.replace('.ts', '-schema.ts'),
      `${definition}\nexport default schema\n`,
    )
    const server = createServer({ schema, storage: memoryStorage() })
    await server.databases.create('scene-42')
    const { url, close } = await server.listen({ port: 0 })
    try {
      const { store } = await load<{ store: Store }>(file, source.replaceAll('ws://127.0.0.1:8787', url))
      await store.saved()
      expect(store.table('layer').has('roads')).toBe(false)
      await store.close()
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
