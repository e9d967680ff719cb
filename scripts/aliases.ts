import { fileURLToPath } from 'node:url'

export type Alias = { readonly find: RegExp; readonly replacement: string }

function source(path: string): string {
  return fileURLToPath(new URL(`../src/${path}`, import.meta.url))
}

/** The entries of the package by public name, and the source file of each. `paths` in tsconfig.json says the same. */
export const entries: Readonly<Record<string, string>> = {
  index: 'index.ts',
  node: 'drivers/node.ts',
  react: 'react/index.ts',
  webgl: 'webgl/index.ts',
  three: 'webgl/three.ts',
  remote: 'remote/index.ts',
  transport: 'transport/index.ts',
  server: 'server/index.ts',
  'server-thread': 'server/beside/thread.ts',
  persist: 'persist/index.ts',
  'opfs-worker': 'persist/opfs-worker.ts',
  tabs: 'tabs/index.ts',
  kysely: 'kysely/index.ts',
  cli: 'server/cli/cli.ts',
  testing: 'testing/index.ts',
}

/** Lets tests, stories and benchmarks import the sources by their public names. */
export const aliases: Alias[] = Object.entries(entries).map(([name, path]) => ({
  find: name === 'index' ? /^rowcast$/ : new RegExp(`^rowcast/${name}$`),
  replacement: source(path),
}))
