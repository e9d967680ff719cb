import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { TemporaryFiles } from '../../../src/server/beside/temporary-files.ts'

function makeParent(): string {
  const parent = mkdtempSync(join(tmpdir(), 'rowcast-temporary-'))
  onTestFinished(() => rmSync(parent, { recursive: true, force: true }))
  return parent
}

function age(folder: string): void {
  utimesSync(folder, 0, 0)
}

test('a server removes what a killed one has left, whatever number its process had', async () => {
  const parent = makeParent()
  const left = join(parent, `rowcast-server-${process.pid}-left`)
  mkdirSync(left)
  writeFileSync(join(left, 'server.lock'), '')
  writeFileSync(join(left, 'state.db'), 'x')
  age(left)
  const files = new TemporaryFiles(parent)
  files.path()
  expect(existsSync(left)).toBe(false)
  await files.close()
})

test('the files of a server that runs stay, however old they are, and so does a folder that was made just now', async () => {
  const parent = makeParent()
  const one = new TemporaryFiles(parent)
  const path = one.path()
  writeFileSync(path, 'x')
  age(dirname(path))
  const fresh = join(parent, 'rowcast-server-1-fresh')
  mkdirSync(fresh)
  const other = new TemporaryFiles(parent)
  other.path()
  expect([existsSync(path), existsSync(fresh)]).toEqual([true, true])
  await one.close()
  expect(existsSync(dirname(path))).toBe(false)
  await other.close()
})
