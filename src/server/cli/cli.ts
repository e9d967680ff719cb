#!/usr/bin/env node
/**
 * The command `rowcast`.
 * @module
 */
import { createRequire } from 'node:module'
import { HELP } from './help.ts'
import { readArguments } from './read-arguments.ts'
import { UsageError } from './usage-error.ts'

async function main(): Promise<void> {
  const args = readArguments(process.argv.slice(2), process.env)
  if (args.command === 'help') {
    process.stdout.write(HELP)
  } else if (args.command === 'version') {
    const { version } = createRequire(import.meta.url)('rowcast/package.json') as { readonly version: string }
    process.stdout.write(`${version}\n`)
  } else {
    // Only now: help costs nothing, and an old Node is told what is wrong before it fails on an import.
    if (!process.getBuiltinModule?.('node:sqlite'))
      throw new UsageError(`Node ${process.version} has no SQLite: run this with Node 22.13 or newer`)
    const { runServe } = await import('./serve-command.ts')
    await runServe(args)
  }
}

main().catch((error: unknown) => {
  if (error instanceof UsageError) {
    process.stderr.write(`rowcast: ${error.message}\nSee rowcast --help.\n`)
    process.exitCode = 2
    return
  }
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
  process.exitCode = 1
})
