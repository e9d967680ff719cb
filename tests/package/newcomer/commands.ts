// Commands as a newcomer types them: silent, unless they fail.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'

// Without colours between the digits of an address, and asking nothing.
const env = { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0', CI: '1', NEXT_TELEMETRY_DISABLED: '1' }

/** What it prints. Throws an Error with that and what it complains of where it fails. */
export function run(what: string, cwd: string, command: readonly string[]): string {
  const [file, ...args] = command
  try {
    return execFileSync(file!, args, { cwd, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string }
    throw new Error(`${what}: '${command.join(' ')}' failed.\n${stdout}\n${stderr}`, { cause: error })
  }
}

/** Runs a server while `act` does, which begins once it has printed where it is. Throws an Error where it ends before. */
export async function whileServing(
  what: string,
  cwd: string,
  command: readonly string[],
  act: () => Promise<void>,
): Promise<void> {
  const [file, ...args] = command
  // A group of its own: npx and Next.js start others, which end with it.
  const child = spawn(file!, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  const ended = once(child, 'close')
  let printed = ''
  const listening = new Promise<void>((resolve) => {
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (data) => {
        printed += String(data)
        if (/https?:\/\/\S+:\d/.test(printed)) resolve()
      })
  })
  const early = ended.then(() => {
    throw new Error(`${what}: '${command.join(' ')}' ended.\n${printed}`)
  })
  try {
    await Promise.race([listening, early])
    await Promise.race([act(), early])
  } catch (error) {
    throw new Error(`${what}, while '${command.join(' ')}' printed\n${printed}`, { cause: error })
  } finally {
    if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid)
    await ended
  }
}

/** A port that nobody listens on. */
export async function freePort(): Promise<string> {
  const server = createServer().listen(0)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return String(port)
}
