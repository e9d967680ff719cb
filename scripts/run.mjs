// Runs a command of this package under a Node that its tools can use: this one where it is new enough, otherwise
// Node 24 fetched through npm. It is plain JavaScript because it must itself run under Node 20.
import { spawn, spawnSync } from 'node:child_process'
import { delimiter, dirname } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

/** vitest needs 22.12; tsdown, and running TypeScript without a flag, need 22.18 or 24.11. */
const isNewEnough = (version) => {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number)
  if (major === 22) return minor >= 18
  return major === 24 ? minor >= 11 : major > 24
}

const [command, ...args] = process.argv.slice(2)
if (command === undefined) {
  console.error('usage: node scripts/run.mjs <command> [arguments…]')
  process.exit(2)
}

/** The path of a Node that is new enough: this one, or one that npm fetches (and keeps) as a package. */
const findNode = () => {
  if (isNewEnough(process.version)) return process.execPath
  const print = `"process.stdout.write(process.version + ' ' + process.execPath)"`
  const fetched = spawnSync(`npm exec --yes --package=node@24 -- node -e ${print}`, {
    shell: true,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [version = '', ...path] = (fetched.stdout ?? '').split(' ')
  if (fetched.status === 0 && isNewEnough(version)) return path.join(' ')
  console.error(`Node ${process.version} is too old, and npm could not fetch a newer one (the package node@24).`)
  console.error('Install Node 22.18, 24.11 or newer, then run the command again.')
  console.error(fetched.stderr)
  process.exit(1)
}

const node = findNode()
const bins = fileURLToPath(new URL('../node_modules/.bin', import.meta.url))
const env = { ...process.env, PATH: [dirname(node), bins, process.env.PATH].join(delimiter) }
const isWindows = process.platform === 'win32'
// The commands of node_modules/.bin are scripts that take Node from the PATH; on Windows only a shell finds them.
const child = spawn(command === 'node' ? node : command, args, {
  stdio: 'inherit',
  env,
  shell: isWindows && command !== 'node',
})
// A terminal sends these to the child as well; passing them on serves those who signal this process alone.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
child.on('error', (error) => {
  console.error(`cannot run ${command}: ${error.message}`)
  process.exit(127)
})
child.on('exit', (code) => process.exit(code ?? 1))
