import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { LogEntry } from '../../../src/server/log.ts'

/** A program that takes a tag and a number after its own arguments and runs `appendLoop` with them. */
export interface AppenderScript {
  readonly script: URL
  readonly args: readonly string[]
}

/**
 * Runs it to its end, or kills it (kill -9) once it has reported so many entries. What it reported.
 */
export async function runAppender(
  appender: AppenderScript,
  tag: string,
  options: { readonly until?: number; readonly killAfter?: number },
): Promise<LogEntry[]> {
  const { until = Infinity, killAfter = Infinity } = options
  const child = spawn(process.execPath, [fileURLToPath(appender.script), ...appender.args, tag, `${until}`], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = once(child, 'close')
  let complaint = ''
  child.stderr.on('data', (text) => (complaint += String(text)))
  const reported: LogEntry[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    // The last line of a killed process may be torn.
    if (!line.endsWith('}')) break
    reported.push(JSON.parse(line) as LogEntry)
    if (reported.length >= killAfter) child.kill('SIGKILL')
  }
  await ended
  if (child.exitCode !== 0 && child.signalCode !== 'SIGKILL') throw new Error(`the appender failed: ${complaint}`)
  return reported
}
