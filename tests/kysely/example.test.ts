import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test, vi } from 'vitest'

const source = readFileSync(new URL('../../src/kysely/create-kysely.ts', import.meta.url), 'utf8')
const example = /```ts\n([\s\S]*?)```/.exec(source)![1]!.replaceAll(/^ \* ?/gm, '')

test('the example runs and prints what its comments say', async () => {
  const folder = new URL('../.generated/', import.meta.url)
  mkdirSync(folder, { recursive: true })
  const file = fileURLToPath(new URL('kysely-example.ts', folder))
  writeFileSync(file, example)
  const printed: unknown[] = []
  const log = vi.spyOn(console, 'log').mockImplementation((value: unknown) => void printed.push(value))
  try {
    await import(/* @vite-ignore */ file)
  } finally {
    log.mockRestore()
  }
  expect(printed).toEqual([[{ label_text: 'Bern', people: 0 }], 1, 1, [{ label_text: 'Bern', people: 134_000 }]])
  expect(example).toContain("// [{ label_text: 'Bern', people: 134000 }]")
})
