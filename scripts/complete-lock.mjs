// Adds to package-lock.json the optional packages for other platforms that npm left out of it. npm drops those that its
// registry does not offer at the moment of `npm install`, and `npm ci` then refuses the lock. Their versions are the
// exact ones that their parents ask for; having no integrity, each is checked against nothing but its name and version.
import { readFileSync, writeFileSync } from 'node:fs'

const file = new URL('../package-lock.json', import.meta.url)
const lock = JSON.parse(readFileSync(file, 'utf8'))
const systems = ['darwin', 'linux', 'win32', 'android', 'freebsd', 'openharmony', 'netbsd', 'openbsd', 'sunos', 'aix']
const processors = ['x64', 'arm64', 'arm', 'ia32', 'ppc64', 'riscv64', 's390x', 'loong64', 'mips64el', 'wasm32']

/** What a platform package's name says of where it installs: `@swc/core-linux-arm64-gnu`. */
const platformOf = (name) => {
  const words = name.split(/[/-]/)
  const os = systems.filter((system) => words.includes(system))
  const cpu = processors.filter((processor) => words.includes(processor))
  return { os, cpu }
}

const added = []
for (const [place, parent] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(parent.optionalDependencies ?? {})) {
    const above = place
      .split('/node_modules/')
      .map((_, index, parts) => parts.slice(0, index + 1).join('/node_modules/'))
    const candidates = ['', ...above].map((folder) => `${folder === '' ? '' : `${folder}/`}node_modules/${name}`)
    if (candidates.some((candidate) => lock.packages[candidate]?.version === version)) continue
    const { os, cpu } = platformOf(name)
    if (!/^\d/.test(version) || (os.length === 0 && cpu.length === 0)) continue
    const target = lock.packages[candidates[0]] === undefined ? candidates[0] : candidates.at(-1)
    lock.packages[target] = {
      version,
      ...(cpu.length > 0 ? { cpu } : {}),
      ...(parent.dev === true ? { dev: true } : {}),
      optional: true,
      ...(os.length > 0 ? { os } : {}),
    }
    added.push(target)
  }
}

if (added.length > 0) {
  const [root, ...rest] = Object.entries(lock.packages)
  rest.sort(([a], [b]) => a.localeCompare(b, 'en'))
  lock.packages = Object.fromEntries([root, ...rest])
  writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`)
}
console.log(`${added.length} optional packages added to package-lock.json`)
