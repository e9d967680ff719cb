// Runs the benchmarks named, or all of them, one after the other, each in a process of its own.
// `npm run bench`, `npm run bench -- stores`, `npm run bench -- stores --rounds 3`: options go to those that are named.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const all = ['stores', 'editor-frame', 'react-table', 'sync', 'cluster']

function run(name: string, options: readonly string[]): boolean {
  const script = fileURLToPath(new URL(`${name}.ts`, import.meta.url))
  if (!existsSync(script)) {
    console.error(`There is no benchmark ${name}; there are: ${all.join(', ')}.`)
    return false
  }
  console.log(`\n## ${name}\n`)
  return spawnSync(process.execPath, ['--expose-gc', script, ...options], { stdio: 'inherit' }).status === 0
}

const given = process.argv.slice(2)
const first = given.findIndex((one) => one.startsWith('-'))
const wanted = first < 0 ? given : given.slice(0, first)
const options = first < 0 ? [] : given.slice(first)
const failed = (wanted.length > 0 ? wanted : all).filter((name) => !run(name, options))
if (failed.length > 0) {
  console.error(`\ncould not run: ${failed.join(', ')}`)
  process.exitCode = 1
}
