// Sees to what the tests need beyond npm's packages.
import { spawnSync } from 'node:child_process'
import { findChromium } from './chromium.ts'
import { findNatsServer } from './nats-server.ts'

interface Need {
  /** Debian's. */
  readonly package: string
  readonly find: () => string | undefined
  readonly missing: string
  readonly elsewhere: string
  readonly variable: string
}

const needs: readonly Need[] = [
  {
    package: 'chromium',
    find: findChromium,
    missing: 'Chromium, in which the browser tests and the stories run',
    elsewhere: 'Chrome or Chromium elsewhere',
    variable: 'CHROMIUM_PATH',
  },
  {
    package: 'nats-server',
    find: findNatsServer,
    missing: 'nats-server, on which logs in JetStream are tested',
    elsewhere: '"brew install nats-server", or a release of nats.io, elsewhere',
    variable: 'NATS_SERVER_PATH',
  },
]

function run(command: string, args: readonly string[]): boolean {
  console.log(`$ ${command} ${args.join(' ')}`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  return spawnSync(command, args, { stdio: 'inherit', env }).status === 0
}

function missing(): readonly Need[] {
  return needs.filter(({ find }) => find() === undefined)
}

function install(packages: readonly string[]): void {
  const isRoot = process.getuid?.() === 0
  const hasApt = spawnSync('apt-get', ['--version'], { stdio: 'ignore' }).status === 0
  if (!isRoot || !hasApt) return
  const all = ['install', '--yes', '--no-install-recommends', ...packages]
  if (!run('apt-get', ['update']) || !run('apt-get', all))
    console.error(`apt-get could not install ${packages.join(' and ')}.`)
}

if (missing().length > 0) install(missing().map((need) => need.package))
for (const need of missing()) {
  console.error(`Missing: ${need.missing}.`)
  console.error(`Install it ("apt-get install ${need.package}" as root on Debian; ${need.elsewhere}),`)
  console.error(`or set ${need.variable} to the path of its executable.`)
  process.exitCode = 1
}
