// The server of one contender, in a process of its own.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { contenderOf } from './contender.ts'

/** Serves until the parent says to stop; tells the parent its port, and its memory when asked. */
export async function serve(name: string): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'rowcast-bench-'))
  const contender = await contenderOf(name)
  const { port, close } = await contender.serve(directory)
  const stop = async (): Promise<void> => {
    await close()
    await rm(directory, { recursive: true, force: true })
    process.exit()
  }
  process.on('message', (message: { readonly ask: 'memory' | 'stop' }) => {
    if (message.ask === 'stop') {
      stop().catch((error: unknown) => {
        console.error(error)
        process.exit(1)
      })
      return
    }
    globalThis.gc?.()
    const { heapUsed, external } = process.memoryUsage()
    process.send!({ bytes: heapUsed + external })
  })
  process.send!({ port })
}
