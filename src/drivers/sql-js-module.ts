import { SqlError } from '../errors/index.ts'
import type { SqlValue } from './sqlite-driver.ts'

/** What rowcast uses of a statement of sql.js. */
export interface SqlJsStatement {
  /** Takes bigint as well, which the published types leave out. */
  bind(values: Exclude<SqlValue, bigint>[]): boolean
  step(): boolean
  get(parameters?: null, config?: { useBigInt?: boolean }): SqlValue[]
  getColumnNames(): string[]
  getSQL(): string
  reset(): unknown
  free(): unknown
}

/** What rowcast uses of a database of sql.js. */
export interface SqlJsDatabase {
  /** Of its file in the file system in memory that all databases of a module share; the published types omit it. */
  readonly filename?: string
  run(sql: string): unknown
  prepare(sql: string): SqlJsStatement
  create_function(name: string, fn: (...values: SqlValue[]) => SqlValue | undefined): unknown
  export(): Uint8Array
  close(): void
}

/** What rowcast uses of an initialised SQL.js (`await initSqlJs()`). */
export interface SqlJsModule {
  readonly Database: new (bytes?: Uint8Array) => SqlJsDatabase
}

type Initialise = (config: object) => Promise<SqlJsModule>

const onNode = typeof process === 'object' && typeof process.versions?.node === 'string'
/** The sql.js that rowcast depends on, and what tells its WebAssembly from that of others. */
const VERSION = '1.16.0'
const SHAPE = '40 imports, 56 exports, memory O, table Q'
const wasmName = onNode ? 'sql-wasm.wasm' : 'sql-wasm-browser.wasm'

/** Loads under way or done, by where the WebAssembly comes from. */
const loads = new Map<unknown, Promise<SqlJsModule>>()

/**
 * Loads sql.js once per source; a load that failed is tried again by the next call. sql.js itself keeps one instance a
 * page, so the first source that loads serves all. Throws `SqlError`.
 */
export function loadSqlJs(source: {
  readonly locateFile?: ((file: string) => string) | undefined
  readonly wasmBinary?: ArrayBuffer | Uint8Array | undefined
}): Promise<SqlJsModule> {
  const key = source.wasmBinary ?? source.locateFile?.(wasmName) ?? 'default'
  const known = loads.get(key)
  if (known !== undefined) return known
  const load = initialise(source.wasmBinary, source.locateFile?.(wasmName)).catch((cause: unknown) => {
    loads.delete(key)
    throw new SqlError(
      `sql.js could not be loaded (${cause instanceof Error ? cause.message : String(cause)}): ` +
        `pass 'locateFile' with the address of 'rowcast/sql-wasm.wasm', or its bytes as 'wasmBinary'`,
      { cause },
    )
  })
  loads.set(key, load)
  return load
}

async function initialise(binary: ArrayBuffer | Uint8Array | undefined, located: string | undefined) {
  const { default: initSqlJs } = (await import('sql.js')) as unknown as { default: Initialise }
  // On Node sql.js finds the file beside itself.
  if (binary === undefined && located === undefined && onNode) return initSqlJs({})
  // sql.js keeps its first attempt for ever, also when it fails: it is only asked once nothing can fail any more.
  const code =
    binary === undefined
      ? await compile(located ?? new URL(wasmName, globalThis.location.href).href)
      : await WebAssembly.compile(binary as BufferSource)
  assertFits(code)
  return new Promise<SqlJsModule>((resolve, reject) => {
    const instantiateWasm = (imports: WebAssembly.Imports, receive: (instance: WebAssembly.Instance) => void) => {
      WebAssembly.instantiate(code, imports).then(receive).catch(reject)
      return {}
    }
    initSqlJs({ instantiateWasm }).then(resolve, reject)
  })
}

/** sql.js calls what another version has under other names, and throws where nobody can catch it. Throws Error. */
function assertFits(code: WebAssembly.Module): void {
  const [imports, exports] = [WebAssembly.Module.imports(code), WebAssembly.Module.exports(code)]
  const named = (kind: string): string => exports.find((one) => one.kind === kind)?.name ?? 'none'
  const shape = `${imports.length} imports, ${exports.length} exports, memory ${named('memory')}, table ${named('table')}`
  if (shape !== SHAPE) throw new Error(`it is not the WebAssembly of sql.js ${VERSION}, which rowcast uses`)
}

async function compile(address: string): Promise<WebAssembly.Module> {
  if (onNode && !/^(https?|data|blob):/.test(address)) {
    const { readFile } = process.getBuiltinModule('node:fs/promises')
    return WebAssembly.compile(await readFile(address.startsWith('file:') ? new URL(address) : address))
  }
  const response = await fetch(address)
  if (!response.ok) throw new Error(`${response.status} ${response.statusText} for ${address}`)
  // Streaming needs the right media type, which many a server does not send.
  return response.headers.get('content-type')?.startsWith('application/wasm') === true
    ? WebAssembly.compileStreaming(response)
    : WebAssembly.compile(await response.arrayBuffer())
}
