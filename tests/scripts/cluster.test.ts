import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'

const script = fileURLToPath(new URL('../../scripts/cluster.ts', import.meta.url))

function start(...args: readonly string[]) {
  const child = spawn(process.execPath, [script, ...args], { stdio: ['pipe', 'pipe', 'pipe'] })
  onTestFinished(() => void child.kill('SIGINT'))
  const printed = { text: '' }
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (printed.text += String(data)))
  const says = (what: RegExp) => expect.poll(() => printed.text, { timeout: 60_000 }).toMatch(what)
  return { child, printed, says, type: (line: string) => child.stdin.write(`${line}\n`) }
}

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
    throw error
  }
}

test('a cluster to try things on has its servers killed, frozen and started again by hand, and leaves none behind', async () => {
  const { child, printed, says, type } = start('--nodes', '2', '--port', '0')
  await says(/^s3 +http:\S+ +\d+ +running$/m)
  const [first] = /http:\S+/.exec(printed.text)!
  const putDatabase = (name: string) => fetch(`${first}/v1/databases/${name}`, { method: 'PUT' })
  expect((await putDatabase('a')).ok).toBe(true)
  type('k 2')
  await says(/^2 \S+ \(pid \d+\) has ended, SIGKILL$/m)
  type('r 2')
  await says(/^2 \S+ \(pid \d+\) is running$/m)
  type('f 2')
  await says(/^2 \S+ \(pid \d+\) is frozen$/m)
  type('k s3')
  await says(/^s3 \S+ \(pid \d+\) has ended, SIGKILL$/m)
  type('r s3')
  await says(/^s3 \S+ \(pid \d+\) is running$/m)
  type('x 9')
  await says(/'x 9' says nothing here/)
  expect((await putDatabase('b')).ok).toBe(true)
  const databases = (await (await fetch(`${first}/v1/databases`)).json()) as { databases: { name: string }[] }
  expect(databases.databases.map(({ name }) => name)).toEqual(['a', 'b'])
  const pids = [...printed.text.matchAll(/(?:pid | {2})(\d+)/g)].map(([, pid]) => Number(pid))
  expect(new Set(pids).size).toBe(5)
  child.kill('SIGINT')
  expect(await once(child, 'exit')).toEqual([0, null])
  expect(pids.filter(isThere)).toEqual([])
}, 120_000)

test.each([
  [['--log', 'disk'], /--log 'disk': give s3 or nats/],
  [['--nodes', 'many'], /--nodes 'many': give a number/],
])('%j is refused with what to give instead', async (args, problem) => {
  const { child, says } = start(...args)
  expect(await once(child, 'exit')).toEqual([2, null])
  await says(problem)
})
