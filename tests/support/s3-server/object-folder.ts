import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ObjectFiles, StoredObject } from './bucket.ts'

const UNFINISHED = '.unfinished'

type Head = Omit<StoredObject, 'body'> & { readonly key: string }

/**
 * Objects as files of a folder: a line of JSON, then the bytes. A file is whole or not there, whenever the process is
 * killed; a machine that loses power may lose it.
 */
export class ObjectFolder implements ObjectFiles {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
    mkdirSync(folder, { recursive: true })
  }

  put(key: string, { body, ...head }: StoredObject): void {
    const path = this.#pathOf(key)
    writeFileSync(path + UNFINISHED, Buffer.concat([Buffer.from(`${JSON.stringify({ key, ...head })}\n`), body]))
    renameSync(path + UNFINISHED, path)
  }

  delete(key: string): void {
    rmSync(this.#pathOf(key))
  }

  *readAll(): Generator<readonly [string, StoredObject]> {
    for (const name of readdirSync(this.#folder)) {
      if (name.endsWith(UNFINISHED)) continue
      const file = readFileSync(join(this.#folder, name))
      const end = file.indexOf('\n')
      const { key, ...head } = JSON.parse(file.toString('utf8', 0, end)) as Head
      yield [key, { ...head, body: file.subarray(end + 1) }]
    }
  }

  /** A key may be longer than a file's name, and have any characters. */
  #pathOf(key: string): string {
    return join(this.#folder, createHash('sha256').update(key).digest('hex'))
  }
}
