// Sees to what the tests need beyond npm's packages: a Chromium for the browser tests and the stories.
import { spawnSync } from 'node:child_process'
import { findChromium } from './chromium.ts'

function run(command: string, args: readonly string[]): boolean {
  console.log(`$ ${command} ${args.join(' ')}`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  return spawnSync(command, args, { stdio: 'inherit', env }).status === 0
}

function installChromium(): void {
  const isRoot = process.getuid?.() === 0
  const hasApt = spawnSync('apt-get', ['--version'], { stdio: 'ignore' }).status === 0
  if (!isRoot || !hasApt) return
  const install = ['install', '--yes', '--no-install-recommends', 'chromium']
  if (!run('apt-get', ['update']) || !run('apt-get', install)) console.error('apt-get could not install chromium.')
}

if (findChromium() === undefined) installChromium()
if (findChromium() === undefined) {
  console.error('Missing: Chromium, in which the browser tests and the stories run.')
  console.error('Install it ("apt-get install chromium" as root on Debian; Chrome or Chromium elsewhere),')
  console.error('or set CHROMIUM_PATH to the path of its executable.')
  process.exit(1)
}
