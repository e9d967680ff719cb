import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createStore, DamagedError, defineSchema, type DamageReport } from 'rowcast'
import { filePersistence } from 'rowcast/persist'
import { afterAll, expect, test } from 'vitest'

const schema = defineSchema({
  version: 1,
  tables: {
    card: { primaryKey: 'id', schema: { type: 'object', required: ['id'], properties: { id: { type: 'string' } } } },
  },
})
const folder = mkdtempSync(join(tmpdir(), 'rowcast-test-'))
afterAll(() => rmSync(folder, { recursive: true }))

let folders = 0

async function filled(): Promise<string> {
  const directory = join(folder, `${folders++}`)
  const store = await createStore({ schema, persistence: filePersistence({ directory }) })
  await store.saved()
  for (const id of ['a', 'b', 'c']) {
    store.table('card').insert({ id })
    await store.saved()
  }
  await store.close()
  return directory
}

function flip(directory: string, ending: string, at: number): void {
  const file = join(
    directory,
    readdirSync(directory).find((name) => name.endsWith(ending))!,
  )
  const bytes = readFileSync(file)
  const place = Math.floor(bytes.length * at)
  writeFileSync(file, bytes.with(place, bytes[place]! ^ 0x55))
}

test('without onDamaged createStore rejects with a report, and leaves everything as it is', async () => {
  const directory = await filled()
  flip(directory, '.log', 0.5)
  const before = readdirSync(directory)
  const error = await createStore({ schema, persistence: filePersistence({ directory }) }).catch((one: unknown) => one)
  expect(error).toBeInstanceOf(DamagedError)
  expect((error as DamagedError).report).toMatchObject({ snapshot: false, intact: { before: 1, after: 1 } })
  expect(readdirSync(directory)).toEqual(before)
})

test('what is intact on both sides of a damaged record is rescued', async () => {
  const directory = await filled()
  flip(directory, '.log', 0.5)
  const persistence = filePersistence({ directory })
  let report: DamageReport | undefined
  const store = await createStore({ schema, persistence, onDamaged: (told) => ((report = told), 'rescue') })
  expect(report?.lost).toHaveLength(1)
  expect(store.table('card').keys()).toEqual(['a', 'c'])
  await store.close()
  const again = await createStore({ schema, persistence })
  expect(again.table('card').keys()).toEqual(['a', 'c'])
  await again.close()
})

test('a copy that is reset begins anew, and the damaged files are set aside', async () => {
  const directory = await filled()
  flip(directory, '.db', 0.5)
  const store = await createStore({ schema, persistence: filePersistence({ directory }), onDamaged: () => 'reset' })
  expect(store.table('card').keys()).toEqual([])
  await store.close()
  expect(readdirSync(directory).filter((name) => name.endsWith('.damaged'))).toHaveLength(2)
})

test('what is removed under a store is written anew before saved() resolves', async () => {
  const directory = await filled()
  const persistence = filePersistence({ directory })
  const store = await createStore({ schema, persistence })
  rmSync(directory, { recursive: true })
  store.table('card').insert({ id: 'd' })
  await store.saved()
  expect(existsSync(directory)).toBe(true)
  await store.close()
  const again = await createStore({ schema, persistence })
  expect(again.table('card').keys()).toEqual(['a', 'b', 'c', 'd'])
  await again.close()
})
