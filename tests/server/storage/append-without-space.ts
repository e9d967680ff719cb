import { readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { RowcastError } from '../../../src/errors/index.ts'
import { fileLogStorage } from '../../../src/server/storage/file-log-storage.ts'

// Runs where no file may grow past one MiB.
const [directory = ''] = process.argv.slice(2)
const wal = join(directory, 'full', 'log.db-wal')
const log = await fileLogStorage({ directory }).open('full', { create: true })
await log.append(['a', 'b'], 0)

// SQLite keeps this in memory until the commit; the next is too much for that and is written before.
const inCommit = await codeOf(log.append(['x'.repeat(1_200_000)], 2))
// What the commit wrote before it failed must be out of the way before anyone is told that it is not there.
const left = readFileSync(wal)
const afterCommit = await log.bounds()
const isSettled = !readFileSync(wal).equals(left)
const beforeCommit = await codeOf(
  log.append(
    Array.from({ length: 20 }, () => 'x'.repeat(1_000_000)),
    2,
  ),
)
await log.append(['c'], 2)
writeSync(1, JSON.stringify({ inCommit, isSettled, afterCommit, beforeCommit, afterAll: await log.bounds() }))
await log.close()

async function codeOf(appended: Promise<void>): Promise<string | undefined> {
  try {
    await appended
    return undefined
  } catch (error) {
    return error instanceof RowcastError ? `${error.code}` : String(error)
  }
}
