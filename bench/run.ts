// Runs the benchmarks named, or all of them, one after the other, each in a process of its own.
// `npm run bench`, `npm run bench -- slider`
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const all = ['stores', 'slider', 'editor-frame', 'sync']

function run(name: string): boolean {
  const script = fileURLToPath(new URL(`${name}.ts`, import.meta.url))
  if (!existsSync(script)) {
    console.error(`There is no benchmark ${name}; there are: ${all.join(', ')}.`)
    return false
  }
  console.log(`\n## ${name}\n`)
  return spawnSync(process.execPath, ['--expose-gc', script], { stdio: 'inherit' }).status === 0
}

const wanted = process.argv.slice(2)
const failed = (wanted.length > 0 ? wanted : all).filter((name) => !run(name))
if (failed.length > 0) {
  console.error(`\ncould not run: ${failed.join(', ')}`)
  process.exitCode = 1
}
