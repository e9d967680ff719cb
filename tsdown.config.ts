import { fileURLToPath } from 'node:url'
import { defineConfig, type UserConfig } from 'tsdown'
import { entries } from './scripts/aliases.ts'

const config: UserConfig = defineConfig({
  entry: Object.fromEntries(Object.entries(entries).map(([name, path]) => [name, `src/${path}`])),
  format: 'esm',
  // Never the name of an entry. Without a hash, so that the size budgets can tell what is loaded at once from what a store loads later.
  outputOptions: { chunkFileNames: 'shared-[name].js' },
  platform: 'neutral',
  target: 'es2023',
  tsconfig: 'tsconfig.src.json',
  dts: true,
  deps: { neverBundle: [/^node:/] },
  fixedExtension: false,
  sourcemap: false,
  // The WebAssembly that fits, wherever a package manager has put sql.js.
  copy: [fileURLToPath(import.meta.resolve('sql.js/dist/sql-wasm.wasm'))],
  clean: true,
})

export default config
