import { mkdirSync, readdirSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { Bucket, type ObjectFiles } from './bucket.ts'
import { ObjectFolder } from './object-folder.ts'
import { S3Error } from './s3-error.ts'

/** The buckets by name, and in a folder if one is given. */
export class Buckets {
  readonly #buckets = new Map<string, Bucket>()
  readonly #folder: string | undefined

  constructor(folder?: string) {
    this.#folder = folder
    if (folder === undefined) return
    mkdirSync(folder, { recursive: true })
    for (const name of readdirSync(folder)) this.#buckets.set(name, new Bucket(Date.now(), this.#filesOf(name)))
  }

  has(name: string): boolean {
    return this.#buckets.has(name)
  }

  /** @throws S3Error NoSuchBucket. */
  get(name: string): Bucket {
    const bucket = this.#buckets.get(name)
    if (bucket === undefined) throw new S3Error('NoSuchBucket', `There is no bucket ${name}.`)
    return bucket
  }

  list(): { readonly name: string; readonly bucket: Bucket }[] {
    return [...this.#buckets].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([name, bucket]) => ({ name, bucket }))
  }

  /** @throws S3Error BucketAlreadyOwnedByYou; InvalidArgument for what is no bucket's name. */
  create(name: string): void {
    if (!/^[a-z\d][a-z\d.-]{1,61}[a-z\d]$/.test(name)) throw new S3Error('InvalidArgument', `${name} names no bucket.`)
    if (this.has(name)) throw new S3Error('BucketAlreadyOwnedByYou', `There is a bucket ${name} already.`)
    this.#buckets.set(name, new Bucket(Date.now(), this.#filesOf(name)))
  }

  /** @throws S3Error NoSuchBucket or BucketNotEmpty. */
  delete(name: string): void {
    if (this.get(name).size > 0) throw new S3Error('BucketNotEmpty', `There are objects in the bucket ${name}.`)
    this.#buckets.delete(name)
    if (this.#folder !== undefined) rmdirSync(join(this.#folder, name))
  }

  #filesOf(name: string): ObjectFiles | undefined {
    return this.#folder === undefined ? undefined : new ObjectFolder(join(this.#folder, name))
  }
}
