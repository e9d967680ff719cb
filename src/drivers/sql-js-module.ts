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
const OTHER_SQL_JS =
  `the sql.js installed beside rowcast is another than ${VERSION}, which it needs: ` +
  `take back what makes it another one (overrides, resolutions, an alias of the bundler)`
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
    const message = cause instanceof Error ? cause.message : String(cause)
    const advice = `pass 'locateFile' with the address of 'rowcast/sql-wasm.wasm', or its bytes as 'wasmBinary'`
    throw new SqlError(message === OTHER_SQL_JS ? message : `sql.js could not be loaded (${message}): ${advice}`, {
      cause,
    })
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
    binary === undefined ? await compile(located ?? ownWasm()) : await WebAssembly.compile(binary as BufferSource)
  assertFits(code)
  return new Promise<SqlJsModule>((resolve, reject) => {
    const instantiateWasm = (imports: WebAssembly.Imports, receive: (instance: WebAssembly.Instance) => unknown) => {
      WebAssembly.instantiate(code, imports)
        .then(({ exports }) => receive({ exports: withoutGaps(exports) }))
        .catch((cause: Error) => {
          const isOther = cause instanceof WebAssembly.LinkError || cause instanceof TypeError
          reject(isOther ? new Error(OTHER_SQL_JS, { cause }) : cause)
        })
      return {}
    }
    initSqlJs({ instantiateWasm }).then(resolve, reject)
  })
}

/** Another sql.js asks for what is not there, and would fail at it only later, where nobody can catch it. */
function withoutGaps(exports: WebAssembly.Exports): WebAssembly.Exports {
  return new Proxy(exports, {
    get(all, name: string) {
      // `then` is asked for by a promise that resolves to them.
      if (!(name in all) && name !== 'then') throw new Error(OTHER_SQL_JS)
      return all[name]
    },
  })
}

/** The address of the file that the package has beside this one: bundlers find it by this expression, and take it along. */
function ownWasm(): string {
  return new URL('./sql-wasm.wasm', import.meta.url).href
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
