import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test, vi } from 'vitest'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
const example = /```ts\n([\s\S]*?)```/.exec(readme)![1]!

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

  test('the commands that it names exist', () => {
    const { scripts } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
      scripts: Record<string, string>
    }
    for (const [, script] of readme.matchAll(/npm (?:run )?(start|test)\b/g)) expect(scripts).toHaveProperty(script!)
  })
})
