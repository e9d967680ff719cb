import { randomBytes } from 'node:crypto'
import { link, mkdir, open, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { RowcastError } from '../errors/index.ts'
import type { ObjectStore } from './bucket/index.ts'

// A database's name begins with no dot.
const FILE = '.secret'

/**
 * The secret of a data directory, made at the first start and for its owner only: with it a client's position is good after
 * a restart too. Rejects with RowcastError (`data`) where the directory can't be used.
 */
export async function readSecret(directory: string): Promise<string> {
  const path = join(directory, FILE)
  try {
    await mkdir(directory, { recursive: true })
    const known = await read(path)
    if (known !== undefined) return known
    await write(path, randomBytes(32).toString('base64url'))
    const made = await read(path)
    if (made !== undefined) return made
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new RowcastError('data', `the data directory ${directory} can't be used (${reason})`, { cause })
  }
  throw new RowcastError('data', `${path} was removed while it was made: start again`)
}

/** The same of a bucket, made by the first server of it. Throws BucketError, RowcastError (`data`) where it is damaged. */
export async function readBucketSecret(store: ObjectStore): Promise<string> {
  const made = Buffer.from(randomBytes(32).toString('base64url'))
  if (await store.create('secret', made)) return made.toString()
  const known = Buffer.from((await store.get('secret')) ?? []).toString()
  if (/^[\w-]{43}$/.test(known)) return known
  throw new RowcastError(
    'data',
    `${store.address}secret is damaged: remove it while no server runs, and clients will fetch everything anew`,
  )
}

async function read(path: string): Promise<string | undefined> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  if (text.length >= 32) return text
  throw new Error(`${path} is damaged: remove it, and clients will fetch everything anew`)
}

/** Whole or not at all, and once where two start at a time: the one that comes second takes the first one's. */
async function write(path: string, secret: string): Promise<void> {
  const written = `${path}.${process.pid}.new`
  const file = await open(written, 'w', 0o600)
  try {
    await file.writeFile(secret)
    await file.sync()
  } finally {
    await file.close()
  }
  try {
    await link(written, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    await rm(written, { force: true })
  }
}
