import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'
import { DIGEST_BYTES } from './digest.ts'
import { type Point } from './history.ts'

const CIPHER = 'aes-128-gcm'
/** Bytes of the parts of a position: sequence, view and history are encrypted, between a random number and a tag. */
const NONCE = 12
const SEQUENCE = 6
const VIEW = 6
const TAG = 12
const SIZE = NONCE + SEQUENCE + VIEW + DIGEST_BYTES + TAG

/**
 * Positions as clients see them: a point in the history of the database, and what it was given for, in one encrypted
 * block. A client can neither read nor make one, so the gaps between those that it gets tell nothing of what it may not
 * see, and a position that the server never gave is known as such. Two of the same state look different: that nothing has
 * changed is not told either.
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
  encode({ sequence, digest }: Point, view: string): string {
    const said = Buffer.alloc(SEQUENCE + VIEW + DIGEST_BYTES)
    said.writeUIntBE(sequence, 0, SEQUENCE)
    digestOfView(view).copy(said, SEQUENCE)
    said.write(digest, SEQUENCE + VIEW, 'base64url')
    const nonce = randomBytes(NONCE)
    const cipher = createCipheriv(CIPHER, this.#key, nonce, { authTagLength: TAG })
    return Buffer.concat([nonce, cipher.update(said), cipher.final(), cipher.getAuthTag()]).toString('base64url')
  }

  /** The point; `undefined` if the position is not from here, or not for this view. */
  decode(position: string, view: string): Point | undefined {
    const bytes = Buffer.from(position, 'base64url')
    if (bytes.length !== SIZE || bytes.toString('base64url') !== position) return undefined
    const said = this.#open(bytes)
    if (!said?.subarray(SEQUENCE, SEQUENCE + VIEW).equals(digestOfView(view))) return undefined
    return { sequence: said.readUIntBE(0, SEQUENCE), digest: said.toString('base64url', SEQUENCE + VIEW) }
  }

  #open(bytes: Buffer): Buffer | undefined {
    const decipher = createDecipheriv(CIPHER, this.#key, bytes.subarray(0, NONCE), { authTagLength: TAG })
    decipher.setAuthTag(bytes.subarray(-TAG))
    const said = decipher.update(bytes.subarray(NONCE, -TAG))
    try {
      decipher.final()
    } catch {
      // It was made up or garbled: that is what the tag is for.
      return undefined
    }
    return said
  }
}

function digestOfView(view: string): Buffer {
  return createHash('sha256').update(view).digest().subarray(0, VIEW)
}
