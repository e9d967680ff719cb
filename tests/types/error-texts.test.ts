import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const generated = fileURLToPath(new URL('../.generated/', import.meta.url))
const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc')

const COLUMNS = [
  { type: 'string' },
  { type: 'integer', default: 0 },
  { type: 'boolean', default: false },
  { enum: ['a', 'b', 'c'] },
  { type: 'array', items: { type: 'string' } },
  { type: 'object', properties: { x: { type: 'number', default: 0 }, y: { type: 'number' } } },
]
const properties = Object.fromEntries(
  Array.from({ length: 100 }, (_, n) => [`column${n}`, COLUMNS[n % COLUMNS.length]] as const),
)
const row = { type: 'object', required: ['id'], properties: { id: { type: 'string' }, ...properties } }
const setting = { singleton: true, schema: { type: 'object', properties } }
const definition = { version: 1, tables: { wide: { primaryKey: 'id', schema: row }, setting } }

/** Statements with something wrong, and what the error must say. */
const WRONG: readonly (readonly [statement: string, ...says: string[]])[] = [
  ["t.insert({ id: 'a', colum1: 2 })", "'colum1'", "'column1'"],
  ["t.insert([{ id: 'a' }, { id: 'b', colum1: 2 }])", "'colum1'", "'column1'"],
  ['t.insert({ colum1: 2 })', "'colum1'"],
  ["t.insert({ id: 'a', column5: { z: 2 } })", "'z'"],
  ["t.insert({ id: 'a', column1: 'x' })", "'string' is not assignable to type 'number'"],
  ['t.insert({ column1: 2 })', 'id', 'missing'],
  ["t.upsert({ id: 'a', colum1: 2 })", "'colum1'", "'column1'"],
  ["t.upsert([{ id: 'a', colum1: 2 }])", "'colum1'", "'column1'"],
  ["t.update('a', { colum1: 2 })", "'colum1'"],
  ["t.update('a', { column5: { z: 2 } })", "'z'"],
  ["t.updateMany(['a'], { colum1: 2 })", "'colum1'"],
  ["store.draft().table('wide').insert({ id: 'a', colum1: 2 })", "'colum1'", "'column1'"],
  ["store.draft().table('wide').update('a', { colum1: 2 })", "'colum1'"],
  ["store.value('setting').update({ colum1: 2 })", "'colum1'"],
  ["void createStore({ schema, data: { wide: [{ id: 'a', colum1: 2 }] } })", "'colum1'", "'column1'"],
  ['void createStore({ schema, data: { setting: { colum1: 2 } } })', "'colum1'", "'column1'"],
  ['void createStore({ schema, data: { wid: [] } })', "'wid'"],
]

/** What the compiler says of each line of a program. */
function errorsOf(lines: readonly string[]): ReadonlyMap<number, string> {
  mkdirSync(generated, { recursive: true })
  const folder = mkdtempSync(join(generated, 'errors-'))
  try {
    writeFileSync(join(folder, 'program.ts'), lines.join('\n'))
    const compilerOptions = { types: ['node'], noEmit: true }
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({ extends: '../../../tsconfig.json', compilerOptions, include: ['program.ts'] }),
    )
    const { stdout } = spawnSync(process.execPath, [tsc, '-p', folder, '--pretty', 'false'], { encoding: 'utf8' })
    const errors = new Map<number, string>()
    for (const text of stdout.split(/^(?=\S)/m)) {
      const line = Number(/program\.ts\((\d+),/.exec(text)?.[1] ?? 0)
      errors.set(line, (errors.get(line) ?? '') + text)
    }
    return errors
  } finally {
    rmSync(folder, { recursive: true })
  }
}

test('what is wrong in a row of a hundred columns is named in a short error', { timeout: 120_000 }, () => {
  const before = [
    "import { createStore, defineSchema } from 'rowcast'",
    `const schema = defineSchema(${JSON.stringify(definition)})`,
    'const store = await createStore({ schema })',
    "const t = store.table('wide')",
    "const one: string = t.insert({ id: 'a', column3: 'b', column5: { y: 1 } })",
    "const several: string[] = t.upsert([{ id: one }, { id: 'c', column2: true }])",
    "t.insert(several.map((id) => ({ id, column3: 'c' as const })))",
  ]
  const errors = errorsOf([...before, ...WRONG.map(([statement]) => statement)])
  const lines = WRONG.map((_, n) => before.length + n + 1)
  expect([...errors.keys()].filter((line) => !lines.includes(line)).map((line) => errors.get(line))).toEqual([])
  for (const [n, [statement, ...says]] of WRONG.entries()) {
    const text = errors.get(lines[n]!) ?? ''
    for (const one of says) expect(text, statement).toContain(one)
    expect(text.length, statement).toBeLessThan(1_000)
    expect(text, statement).not.toContain('No overload')
  }
})
