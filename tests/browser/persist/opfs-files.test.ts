import { beforeEach, expect, test } from 'vitest'
import { FileError, opfsFiles } from '../../../src/persist/index.ts'
import { otherTab } from './other-tab.ts'

const files = opfsFiles({ directory: 'tests/files' })

beforeEach(() => files.rm('/', { recursive: true, force: true }))

function code(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => 'nothing was thrown',
    (error: unknown) => (error instanceof FileError ? error.code : error),
  )
}

test('a file is written, read, appended to and replaced', async () => {
  await files.writeFile('/a.txt', 'Grüße')
  await files.appendFile('a.txt', new Uint8Array([33]))
  expect(await files.readFile('/a.txt', 'utf8')).toBe('Grüße!')
  expect((await files.readFile('/./x/../a.txt')).length).toBe(8)
  expect(await files.stat('/a.txt')).toMatchObject({ kind: 'file', size: 8 })
  await files.writeFile('/a.txt', new Blob(['short']))
  expect(await files.readFile('/a.txt', 'utf8')).toBe('short')
  await files.appendFile('/new.txt', 'made')
  expect(await files.readdir('/')).toEqual(['a.txt', 'new.txt'])
})

test('folders are made, listed, renamed with all in them, and removed', async () => {
  await files.mkdir('/a/b/c', { recursive: true })
  await files.mkdir('/a/b/c', { recursive: true })
  await files.writeFile('/a/b/one', '1')
  await files.writeFile('/a/b/c/two', '2')
  await files.mkdir('/z')
  await files.rename('/a/b', '/z/moved')
  expect(await files.readdir('/a')).toEqual([])
  expect(await files.readFile('/z/moved/c/two', 'utf8')).toBe('2')
  await files.rename('/z/moved/one', '/z/moved/c/two')
  expect(await files.readFile('/z/moved/c/two', 'utf8')).toBe('1')
  expect(await files.stat('/z/moved')).toEqual({ kind: 'directory', size: 0, mtimeMs: undefined })
  await files.rm('/z', { recursive: true })
  expect(await files.exists('/z/moved/c/two')).toBe(false)
  expect(await files.exists('/a')).toBe(true)
})

test('what cannot be done is refused with the code that Node has for it', async () => {
  await files.mkdir('/folder')
  await files.writeFile('/file', 'kept')
  expect(await code(files.readFile('/none'))).toBe('ENOENT')
  expect(await code(files.writeFile('/none/file', ''))).toBe('ENOENT')
  expect(await code(files.readFile('/folder'))).toBe('EISDIR')
  expect(await code(files.writeFile('/', ''))).toBe('EISDIR')
  expect(await code(files.readFile('/file/below'))).toBe('ENOTDIR')
  expect(await code(files.readdir('/file'))).toBe('ENOTDIR')
  expect(await code(files.mkdir('/folder'))).toBe('EEXIST')
  expect(await code(files.mkdir('/no/folder'))).toBe('ENOENT')
  expect(await code(files.rm('/folder'))).toBe('EISDIR')
  expect(await code(files.rm('/none'))).toBe('ENOENT')
  expect(await code(files.rm('/none', { force: true }))).toBe('nothing was thrown')
  expect(await code(files.rename('/none', '/a'))).toBe('ENOENT')
  expect(await code(files.rename('/file', '/folder'))).toBe('EEXIST')
  expect(await code(files.rename('/folder', '/folder/inside'))).toBe('EINVAL')
  expect(await code(files.stat('/none'))).toBe('ENOENT')
  expect(await code(files.readFile('../other'))).toBe('EINVAL')
  expect(await files.readFile('/file', 'utf8')).toBe('kept')
})

test('streams carry a file in and out, and an aborted one changes nothing', async () => {
  const source = new Blob(['part '.repeat(100_000)])
  await source.stream().pipeTo(await files.writeStream('/large'))
  const read = await new Response(await files.readStream('/large')).text()
  expect(read.length).toBe(500_000)
  const aborted = (await files.writeStream('/large')).getWriter()
  await aborted.write('something else')
  await aborted.abort()
  expect((await files.stat('/large')).size).toBe(500_000)
})

test('the first appends of a page keep their order, whenever the browser allows locks', async () => {
  // Each page asks the browser once: many pages meet the answer between two of their calls.
  for (let page = 0; page < 10; page += 1) {
    await files.rm('/first', { force: true })
    const other = await otherTab()
    await Promise.all(Array.from({ length: 20 }, (_, n) => other.appendFile('/first', `${n} `)))
    other.close()
    expect(await files.readFile('/first', 'utf8')).toBe(Array.from({ length: 20 }, (_, n) => `${n} `).join(''))
  }
})

test('appends of two tabs at once lose nothing of each other', async () => {
  const other = await otherTab()
  const calls: Promise<unknown>[] = []
  for (let n = 0; n < 20; n += 1) {
    calls.push(files.appendFile('/shared', `here ${n}\n`), other.appendFile('/shared', `there ${n}\n`))
  }
  await Promise.all(calls)
  const lines = (await files.readFile('/shared', 'utf8')).trim().split('\n')
  const of = (who: string) => lines.filter((line) => line.startsWith(who))
  expect(of('here')).toEqual(Array.from({ length: 20 }, (_, n) => `here ${n}`))
  expect(of('there')).toEqual(Array.from({ length: 20 }, (_, n) => `there ${n}`))
  other.close()
})
