import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'

/** A server in a process of its own on this machine. */
export class LocalProcess {
  readonly url: string
  readonly child: ChildProcess
  /** What it has printed as errors. */
  problems = ''
  #isFrozen = false

  /** @param child with a pipe for its errors */
  constructor(url: string, child: ChildProcess) {
    this.url = url
    this.child = child
    child.stderr!.on('data', (data) => (this.problems += String(data)))
    // What nobody reads must not stop it.
    child.stdout?.resume()
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null
  }

  get isFrozen(): boolean {
    return this.#isFrozen && this.isRunning
  }

  /** Stops it where it is (SIGSTOP): its connections stay, and say nothing. */
  freeze(): void {
    this.#isFrozen = true
    this.child.kill('SIGSTOP')
  }

  wake(): void {
    this.#isFrozen = false
    this.child.kill('SIGCONT')
  }

  /** Resolves once it has ended, with its exit code and signal. One that is frozen takes SIGTERM once it wakes. */
  async end(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<readonly [number | null, string | null]> {
    if (this.isRunning) {
      const ended = once(this.child, 'exit')
      this.child.kill(signal)
      await ended
    }
    return [this.child.exitCode, this.child.signalCode]
  }
}

/** What a server prints once it is ready. Throws where it ends before, with what it says. */
export async function started(child: ChildProcess, name: string): Promise<string> {
  let problems = ''
  const collect = (data: unknown): void => void (problems += String(data))
  child.stderr!.on('data', collect)
  const ended = once(child, 'exit').then(() => {
    throw new Error(`${name} did not start: ${problems}`)
  })
  const [line] = (await Promise.race([once(child.stdout!, 'data'), ended])) as [unknown]
  child.stderr!.off('data', collect)
  return String(line)
}
