import { createCipheriv, createDecipheriv, createHash, randomFillSync } from 'node:crypto'

/**
 * Positions as clients see them: a sequence number, and what it was given for, in one encrypted block. A client can
 * neither read nor make one, so the gaps between those that it gets tell nothing of what it may not see, and a position
 * that the server never gave is known as such.
 */
export class Positions {
  readonly #key: Buffer

  /** What a position is good for where everything is seen, in a schema's version. */
  static everything(schemaVersion: number): string {
    return `${schemaVersion}*`
  }

  /** @param secret known to every server of a database, and to nobody else */
  constructor(secret: string, database: string, incarnation: string) {
    this.#key = createHash('sha256').update(`${secret}\0${database}\0${incarnation}`).digest().subarray(0, 16)
  }

  /** @param view what the client may see and asked for: a position is good for the same only */
  encode(sequence: number, view: string): string {
    const block = Buffer.alloc(16)
    block.writeUIntBE(sequence, 0, 6)
    digest(view).copy(block, 6)
    // Two positions of the same state look different: that nothing has changed is not told either.
    randomFillSync(block, 12)
    const cipher = createCipheriv('aes-128-ecb', this.#key, null).setAutoPadding(false)
    return Buffer.concat([cipher.update(block), cipher.final()]).toString('base64url')
  }

  /** The sequence number; `undefined` if the position is not from here, or not for this view. */
  decode(position: string, view: string): number | undefined {
    const bytes = Buffer.from(position, 'base64url')
    if (bytes.length !== 16 || bytes.toString('base64url') !== position) return undefined
    const decipher = createDecipheriv('aes-128-ecb', this.#key, null).setAutoPadding(false)
    const block = Buffer.concat([decipher.update(bytes), decipher.final()])
    if (!block.subarray(6, 12).equals(digest(view))) return undefined
    return block.readUIntBE(0, 6)
  }
}

function digest(view: string): Buffer {
  return createHash('sha256').update(view).digest().subarray(0, 6)
}
