import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'
import { createServer } from 'vite'
import { expect, test } from 'vitest'
import { aliases } from '../../scripts/aliases.ts'
import { findChromium } from '../../scripts/chromium.ts'

const project = fileURLToPath(new URL('../../', import.meta.url))

/** The module of the documentation, which has only its imports and schema left to say. */
async function storeModule(): Promise<string> {
  const document = await readFile(join(project, 'docs/react.md'), 'utf8')
  const recipe = /```ts\n\/\/ store\.ts\n(.*?)```/s.exec(document)?.[1] ?? ''
  return `
    import { createStore as create, defineSchema } from 'rowcast'
    import { opfsPersistence } from 'rowcast/persist'
    import wasmUrl from 'sql.js/dist/sql-wasm-browser.wasm?url'
    const createStore = (options) => create({ ...options, locateFile: () => wasmUrl })
    const schema = defineSchema({
      version: 1,
      tables: {
        card: { primaryKey: 'id', schema: { type: 'object', required: ['id'], properties: { id: { type: 'string' } } } },
      },
    })
    export const version = 1
    ${recipe}`
}

// As a component under fast refresh: it accepts its own updates, and so those of what it imports.
const main = `
  import { store, version } from './store.ts'
  const cards = async () => {
    const open = await store
    open.table('card').insert({ id: 'of version ' + version })
    return open.table('card').keys().join(', ')
  }
  const shown = document.querySelector('output')
  cards().then((text) => (shown.textContent = text), (error) => (shown.textContent = String(error)))
  import.meta.hot?.accept()`

test('a store as the documentation has it is opened anew each time its module is edited, with what was committed', async () => {
  const root = await mkdtemp(join(tmpdir(), 'rowcast-hot-'))
  const source = await storeModule()
  await writeFile(join(root, 'index.html'), '<output></output><script type="module" src="./main.ts"></script>')
  await writeFile(join(root, 'main.ts'), main)
  await writeFile(join(root, 'store.ts'), source)
  const server = await createServer({
    configFile: false,
    root,
    cacheDir: join(root, '.vite'),
    resolve: {
      alias: [...aliases, { find: /^sql\.js\/dist/, replacement: join(project, 'node_modules/sql.js/dist') }],
    },
    optimizeDeps: { noDiscovery: false },
    server: { host: '127.0.0.1', port: 0, fs: { strict: false } },
    logLevel: 'error',
  })
  const executablePath = findChromium()
  const browser = await chromium.launch({
    ...(executablePath === undefined ? {} : { executablePath }),
    args: ['--no-sandbox', '--disable-dev-shm-usage'],
  })
  try {
    await server.listen()
    const page = await browser.newPage()
    await page.goto(server.resolvedUrls?.local[0] ?? '')
    const shown = (): Promise<string | null> => page.locator('output').textContent()
    await expect.poll(shown).toBe('of version 1')
    await page.evaluate(() => Object.assign(globalThis, { isSame: true }))
    await writeFile(join(root, 'store.ts'), source.replace('version = 1', 'version = 2'))
    await expect.poll(shown).toBe('of version 1, of version 2')
    await writeFile(join(root, 'store.ts'), source.replace('version = 1', 'version = 3'))
    await expect.poll(shown).toBe('of version 1, of version 2, of version 3')
    expect(await page.evaluate(() => 'isSame' in globalThis)).toBe(true)
  } finally {
    await browser.close()
    await server.close()
    await rm(root, { recursive: true })
  }
})
