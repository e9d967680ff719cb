import { createHash, randomUUID } from 'node:crypto'
import type { Checksums } from './checksums.ts'
import { S3Error } from './s3-error.ts'

/** What each part but the last must have, in bytes: S3's own limit. */
const MIN_PART_BYTES = 5 * 1024 * 1024

export interface Part {
  readonly body: Buffer
  readonly etag: string
  readonly checksums: Checksums
}

interface Upload {
  readonly bucket: string
  readonly key: string
  readonly headers: Readonly<Record<string, string>>
  readonly parts: Map<number, Part>
}

/** A part as the end of an upload names it. */
export interface NamedPart {
  readonly number: number
  readonly etag: string
}

/** Uploads in parts that have begun and not ended. They are in memory only: a restart forgets them. */
export class Multipart {
  readonly #uploads = new Map<string, Upload>()

  begin(bucket: string, key: string, headers: Readonly<Record<string, string>>): string {
    const id = randomUUID()
    this.#uploads.set(id, { bucket, key, headers, parts: new Map() })
    return id
  }

  /** @throws S3Error NoSuchUpload; InvalidArgument for a number out of 1 to 10,000. */
  put(id: string, bucket: string, key: string, number: number, part: Part): void {
    const { parts } = this.#get(id, bucket, key)
    if (!(Number.isInteger(number) && number >= 1 && number <= 10_000))
      throw new S3Error('InvalidArgument', 'A part has a number from 1 to 10,000.')
    parts.set(number, part)
  }

  /**
   * What the named parts are together; the upload goes on until `end`.
   * @throws S3Error NoSuchUpload, InvalidPart, InvalidPartOrder or EntityTooSmall.
   */
  join(
    id: string,
    bucket: string,
    key: string,
    named: readonly NamedPart[],
  ): Pick<Upload, 'headers'> & Pick<Part, 'body' | 'etag'> {
    const { headers, parts } = this.#get(id, bucket, key)
    if (named.length === 0) throw new S3Error('MalformedXML', 'No parts are named.')
    if (named.some(({ number }, index) => number <= (named[index - 1]?.number ?? 0)))
      throw new S3Error('InvalidPartOrder', 'The parts are not named in the order of their numbers.')
    const joined = named.map(({ number, etag }, index) => {
      const part = parts.get(number)
      if (part?.etag.slice(1, -1) !== etag.replaceAll('"', ''))
        throw new S3Error('InvalidPart', `There is no part ${number} of the ETag ${etag}.`)
      if (index < named.length - 1 && part.body.length < MIN_PART_BYTES)
        throw new S3Error('EntityTooSmall', `Part ${number} has less than ${MIN_PART_BYTES} bytes and is not the last.`)
      return part
    })
    const hashes = Buffer.concat(joined.map(({ etag }) => Buffer.from(etag.slice(1, -1), 'hex')))
    return {
      headers,
      body: Buffer.concat(joined.map(({ body }) => body)),
      etag: `"${createHash('md5').update(hashes).digest('hex')}-${joined.length}"`,
    }
  }

  /** @throws S3Error NoSuchUpload. */
  end(id: string, bucket: string, key: string): void {
    this.#get(id, bucket, key)
    this.#uploads.delete(id)
  }

  #get(id: string, bucket: string, key: string): Upload {
    const upload = this.#uploads.get(id)
    if (upload?.bucket !== bucket || upload.key !== key)
      throw new S3Error('NoSuchUpload', `There is no upload ${id} of ${key}: it has ended, or never began.`)
    return upload
  }
}
