import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { expect, test, vi } from 'vitest'
import { sqlJsDriver } from '../../src/drivers/index.ts'

type Receive = (instance: WebAssembly.Instance) => unknown
type Config = { readonly instantiateWasm: (imports: WebAssembly.Imports, receive: Receive) => object }

const other = vi.hoisted(() => ({ start: (_config: Config): void => undefined }))
// Like sql.js, it never says that it failed.
vi.mock('sql.js', () => ({ default: (config: Config) => new Promise(() => other.start(config)) }))

const wasm = await readFile(createRequire(import.meta.url).resolve('sql.js/dist/sql-wasm.wasm'))

/** What sql.js gives for the imports of this WebAssembly. */
const imports: Record<string, Record<string, () => void>> = {}
for (const { module, name } of WebAssembly.Module.imports(await WebAssembly.compile(wasm)))
  (imports[module] ??= {})[name] = () => undefined

test.each<[string, (config: Config) => void]>([
  ['has other imports', (config) => config.instantiateWasm({}, () => undefined)],
  ['lacks an import', (config) => config.instantiateWasm({ ...imports, a: {} }, () => undefined)],
  [
    'asks for an export that is not there',
    (config) => config.instantiateWasm(imports, ({ exports }) => exports['aFunctionOfAnother']),
  ],
])("another version's sql.js beside rowcast is named as the fault where it %s", async (_, start) => {
  other.start = start
  await expect(sqlJsDriver({ wasmBinary: new Uint8Array(wasm) }).open()).rejects.toThrow(
    /^the sql\.js installed beside rowcast is another than 1\.16\.0/,
  )
})
