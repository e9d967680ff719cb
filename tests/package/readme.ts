// The README followed by a newcomer, with the package as npm would install it: its first example in Node, and its app in
// a new Vite app, type-checked, built and opened in Chromium. `npm run build` first.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { chromium } from 'playwright-core'
import type { PreviewServer, ViteDevServer } from 'vite'
import { findChromium } from '../../scripts/chromium.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const readme = readFileSync(join(root, 'README.md'), 'utf8')
const folder = mkdtempSync(join(tmpdir(), 'rowcast-readme-'))
const app = join(folder, 'my-app')

/** The code of the README whose first line is this. */
function block(fence: string, start: string): string {
  const blocks = [...readme.matchAll(/```(\w+)\n([\s\S]*?)```/g)]
  const found = blocks.find(([, kind, code]) => kind === fence && code!.startsWith(start))
  assert(found, `README.md has no ${fence} block that starts with ${start}`)
  return found[2]!
}

/** Runs a command, silent unless it fails. */
function run(what: string, cwd: string, command: string, ...args: string[]): string {
  try {
    return execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string }
    throw new Error(`README, ${what}: '${command} ${args.join(' ')}' failed.\n${stdout}\n${stderr}`, { cause: error })
  }
}

/** A note is added, written and kept over a reload, and the console stays empty of errors. */
async function tryApp(what: string, url: string): Promise<void> {
  const executablePath = findChromium()
  const browser = await chromium.launch({ ...(executablePath && { executablePath }), args: ['--no-sandbox'] })
  const faults: string[] = []
  try {
    const page = await browser.newPage()
    page.on('pageerror', (error) => faults.push(error.message))
    page.on('console', (message) => message.type() === 'error' && faults.push(message.text()))
    const note = page.getByLabel('Note')
    await page.goto(url)
    await page.getByRole('button', { name: 'Add' }).click()
    await note.fill('Kept')
    await note.press('Tab')
    await page.reload()
    await page.waitForFunction(() => document.querySelector('input')?.value === 'Kept')
  } catch (error) {
    throw new Error(`README, ${what}: the app does not work in Chromium. ${faults.join('\n')}`, { cause: error })
  } finally {
    await browser.close()
  }
  assert.deepEqual(faults, [], `README, ${what}: the console has errors`)
}

try {
  const [packed] = JSON.parse(
    run('pack', root, 'npm', 'pack', '--ignore-scripts', '--json', '--pack-destination', folder),
  ) as { filename: string }[]
  const create = ['create', '--yes', 'vite@latest', 'my-app', '--', '--template', 'react-ts', '--no-interactive']
  run('new app', folder, 'npm', ...create)
  run('install', app, 'npm', 'install', '--no-audit', '--no-fund', join(folder, packed!.filename))

  writeFileSync(join(app, 'first.ts'), block('ts', 'import { createStore, defineSchema, sql }'))
  const tsc = join(app, 'node_modules/typescript/bin/tsc')
  const strict = ['--strict', '--target', 'es2023', '--module', 'nodenext', '--types', 'node', '--ignoreConfig']
  run('first example', app, process.execPath, tsc, ...strict, 'first.ts')
  const printed = run('first example', app, process.execPath, 'first.js')
  assert.match(printed, /\[ 12, 13, 14, 15 \]\n[\s\S]*\n1\n[\s\S]*true\n$/, `README, first example printed\n${printed}`)

  writeFileSync(join(app, 'src/store.ts'), block('tsx', '// src/store.ts'))
  writeFileSync(join(app, 'src/App.tsx'), block('tsx', '// src/App.tsx'))
  run('Vite app', app, 'npm', 'run', 'build')
  const vite = (await import(pathToFileURL(join(app, 'node_modules/vite/dist/node/index.js')).href)) as {
    createServer(options: object): Promise<ViteDevServer>
    preview(options: object): Promise<PreviewServer>
  }
  const options = { root: app, logLevel: 'error', server: { port: 0 }, preview: { port: 0 } }
  const dev = await vite.createServer(options)
  await dev.listen()
  await tryApp('Vite, development', dev.resolvedUrls!.local[0]!)
  await dev.close()
  const built = await vite.preview(options)
  await tryApp('Vite, production', built.resolvedUrls!.local[0]!)
  await built.close()
} finally {
  rmSync(folder, { recursive: true, force: true })
}
