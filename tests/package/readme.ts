// The README followed by a newcomer, with the package as npm would install it; `npm run build` first. Without arguments
// its first example in Node, its app in a new Vite app, type-checked, built and opened in Chromium, and that app on the
// server that it starts. Otherwise what the arguments name: apps (vite, vite7, next, webpack), together (the server),
// node (the example on each Node that it is promised for), and npm or pnpm, which does it.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { codeBlock } from './newcomer/code-block.ts'
import { freePort, run, whileServing } from './newcomer/commands.ts'
import { keepsNotes, sharesNotes } from './newcomer/in-chromium.ts'
import { newApps, type NewApp } from './newcomer/new-apps.ts'
import { packageManagers } from './newcomer/package-manager.ts'

const NODES = ['20.19', '22', '24']
const usual = ['example', 'vite', 'together']
const known = [...usual, ...Object.keys(newApps), 'node', ...Object.keys(packageManagers)]

const named = process.argv.slice(2)
for (const name of named) assert(known.includes(name), `there is no '${name}': known are ${known.join(' ')}`)
const manager = packageManagers[named.includes('pnpm') ? 'pnpm' : 'npm']
const steps = named.filter((name) => !(name in packageManagers))
const root = fileURLToPath(new URL('../../', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'rowcast-readme-'))

/** Makes a new app with rowcast and the blocks of the documentation. */
function make(what: string, kind: NewApp): string {
  const parent = mkdtempSync(join(folder, 'app-'))
  const app = kind.create(parent)
  run(what, app, [...manager.add, ...kind.packages, join(folder, 'rowcast.tgz')])
  for (const [document, firstLine] of kind.blocks) write(app, document, firstLine)
  return app
}

/** Writes the block where its first line, a comment, says. */
function write(app: string, document: string, firstLine: string): void {
  const path = join(app, /^\/\/ ([\w./-]+)/.exec(firstLine)![1]!)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, codeBlock(document, firstLine))
}

async function followApp(name: keyof typeof newApps): Promise<void> {
  const what = `README, ${name} with ${manager.name}`
  const kind = newApps[name]
  const app = make(what, kind)
  run(`${what}, build`, app, [...manager.run, 'build'])
  for (const mode of ['dev', 'production'] as const) {
    const port = await freePort()
    await whileServing(`${what}, ${mode}`, app, kind[mode](port), () =>
      keepsNotes(`${what}, ${mode}`, `http://localhost:${port}`),
    )
  }
}

/** The app and the server of "Edit together", as written but for ports that are free. */
async function followTogether(): Promise<void> {
  const what = `README, together with ${manager.name}`
  const app = make(what, newApps.vite)
  write(app, 'README.md', '// src/store.ts, shared')
  run(`${what}, build`, app, [...manager.run, 'build'])
  const [page, server] = [await freePort(), await freePort()]
  const store = codeBlock('README.md', '// src/store.ts, shared')
  assert(store.includes(':8787'))
  writeFileSync(join(app, 'src/store.ts'), store.replace(':8787', `:${server}`))
  const shell = codeBlock(
    'README.md',
    "# A SQLite log and snapshots per database, at http://127.0.0.1:8787, for Vite's pages",
  )
  const command = /^npx rowcast serve .*$/m.exec(shell)![0].replace(':5173', `:${page}`).split(' ')
  await whileServing(what, app, [...command, '--port', server], () =>
    whileServing(what, app, newApps.vite.dev(page), () => sharesNotes(what, `http://localhost:${page}`)),
  )
}

/** The first example, type-checked, on each of these Nodes. */
function followExample(...nodes: (readonly string[])[]): void {
  const what = `README, first example with ${manager.name}`
  const app = join(folder, 'first')
  mkdirSync(app, { recursive: true })
  writeFileSync(join(app, 'package.json'), JSON.stringify({ private: true, type: 'module' }))
  run(what, app, [...manager.add, 'typescript@7', '@types/node@20', join(folder, 'rowcast.tgz')])
  writeFileSync(
    join(app, 'first.ts'),
    codeBlock('README.md', "import { createStore, defineSchema, sql } from 'rowcast'"),
  )
  const strict = ['--strict', '--target', 'es2023', '--module', 'nodenext', '--types', 'node', '--ignoreConfig']
  run(what, app, [process.execPath, 'node_modules/typescript/bin/tsc', ...strict, 'first.ts'])
  for (const node of nodes) {
    const printed = run(what, app, [...node, 'first.js'])
    assert.match(
      printed,
      /\[ 12, 13, 14, 15 \]\n[\s\S]*\n1\n[\s\S]*true\n$/,
      `${what}: ${node.join(' ')} printed\n${printed}`,
    )
  }
}

async function follow(step: string): Promise<void> {
  if (step === 'together') return followTogether()
  if (step === 'example') return followExample([process.execPath])
  if (step === 'node')
    return followExample(...NODES.map((version) => ['npm', 'exec', '--yes', `--package=node@${version}`, '--', 'node']))
  return followApp(step as keyof typeof newApps)
}

try {
  const pack = ['npm', 'pack', '--ignore-scripts', '--json', '--pack-destination', folder]
  const [packed] = JSON.parse(run('README, pack', root, pack)) as { filename: string }[]
  run('README, pack', folder, ['mv', packed!.filename, 'rowcast.tgz'])
  for (const step of steps.length > 0 ? steps : usual) {
    const start = performance.now()
    await follow(step)
    const seconds = Math.round((performance.now() - start) / 1000)
    process.stdout.write(`README, ${step} with ${manager.name}: works as written (${seconds} s)\n`)
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
