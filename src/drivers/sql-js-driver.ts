import type { SqlJsModule } from './sql-js-module.ts'
import type { SqliteDriverFactory } from './sqlite-driver.ts'

/** Where sql.js takes its WebAssembly from. Without any of these: beside sql.js on Node, beside the page in a browser. */
export interface SqlJsDriverOptions {
  /** The address (in Node also a path) of the `.wasm` file of this name; in a bundler, the URL of the asset. */
  readonly locateFile?: ((file: string) => string) | undefined
  /** The bytes of the `.wasm` file, if they are at hand. */
  readonly wasmBinary?: ArrayBuffer | Uint8Array | undefined
  /** An initialised SQL.js, to share the one that the page has. */
  readonly module?: SqlJsModule | undefined
}

/**
 * Databases in memory on sql.js: in browsers, workers and Node. `open` throws `SqlError` where the WebAssembly can't be
 * loaded or the bytes are no SQLite file.
 */
export function sqlJsDriver(options: SqlJsDriverOptions = {}): SqliteDriverFactory {
  return {
    async open(bytes) {
      // Loaded beside the WebAssembly that it drives: an application's first load has neither.
      const [{ SqlJsDriver }, { loadSqlJs }] = await Promise.all([
        import('./sql-js-database.ts'),
        import('./sql-js-module.ts'),
      ])
      return new SqlJsDriver(options.module ?? (await loadSqlJs(options)), bytes)
    },
  }
}
