import { createHmac, timingSafeEqual } from 'node:crypto'

/** Says that another server has sent someone, and from which address; signed with the secret that all of them know. */
export const SENT_BY = 'rowcast-sent-by'

/** Another server that has sent someone here. */
export interface Sender {
  /** Where who was sent comes from. `undefined` where the server is not known to be one of these. */
  readonly address: string | undefined
}

export function signSender(address: string | undefined, secret: string): string {
  const told = Buffer.from(address ?? '').toString('base64url')
  return `${told}.${sign(told, secret)}`
}

/** The server that has sent someone, by the header; `undefined` where none has. */
export function sentBy(header: string | null | undefined, secret: string): Sender | undefined {
  if (header === null || header === undefined) return undefined
  const [told = '', signature = ''] = header.split('.')
  const [given, right] = [Buffer.from(signature), Buffer.from(sign(told, secret))]
  if (given.length !== right.length || !timingSafeEqual(given, right)) return { address: undefined }
  return { address: Buffer.from(told, 'base64url').toString() || undefined }
}

function sign(told: string, secret: string): string {
  return createHmac('sha256', secret).update(`${SENT_BY} ${told}`).digest('base64url')
}
