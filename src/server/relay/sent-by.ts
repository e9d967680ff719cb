import { createHmac, timingSafeEqual } from 'node:crypto'
import type { FirstState } from '../live-database.ts'

/** Says that another server has sent someone, and from which address; signed with the secret that all of them know. */
export const SENT_BY = 'rowcast-sent-by'

/** A database whose first state another server has made, which is the body. */
export type Made = Omit<FirstState, 'bytes'>

/** What another server says of whom it has sent here. */
interface Told {
  /** Where they come from. */
  readonly address?: string | undefined
  readonly made?: Made | undefined
}

/** Another server that has sent someone here, or who says so. */
export interface Sender extends Told {
  /** Whether it is one of these servers. Otherwise it has said nothing, but that this is not to be passed on. */
  readonly isKnown: boolean
}

export function signSender(sender: Told, secret: string): string {
  const told = Buffer.from(JSON.stringify(sender)).toString('base64url')
  return `${told}.${sign(told, secret)}`
}

/** The server that has sent someone, by the header; `undefined` where none has. What is not signed as these do says nothing. */
export function sentBy(header: string | null | undefined, secret: string): Sender | undefined {
  if (header === null || header === undefined) return undefined
  const [told = '', signature = ''] = header.split('.')
  const [given, right] = [Buffer.from(signature), Buffer.from(sign(told, secret))]
  if (given.length !== right.length || !timingSafeEqual(given, right)) return { isKnown: false }
  return { ...(JSON.parse(Buffer.from(told, 'base64url').toString()) as Told), isKnown: true }
}

function sign(told: string, secret: string): string {
  return createHmac('sha256', secret).update(`${SENT_BY} ${told}`).digest('base64url')
}
