/**
 * One frame of a multiplexed connection: `o1` opens channel 1, and is answered with the same; `m1 text` is a message of
 * it; `c1 reason` ends it. No message of the sync protocol, which is JSON, looks like one.
 */
export interface Frame {
  readonly kind: 'o' | 'm' | 'c'
  /** Counted by the client, never used again within one connection. */
  readonly channel: number
  readonly text: string
}

export function formatFrame(kind: Frame['kind'], channel: number, text = ''): string {
  return text === '' && kind !== 'm' ? `${kind}${channel}` : `${kind}${channel} ${text}`
}

/** `undefined` where it is none. */
export function parseFrame(frame: string): Frame | undefined {
  const kind = frame[0]
  if (kind !== 'o' && kind !== 'm' && kind !== 'c') return undefined
  // A number has 16 digits at most: a long message is not searched for its space.
  const space = frame.slice(0, 18).indexOf(' ')
  const digits = space < 0 ? frame.slice(1, 18) : frame.slice(1, space)
  const channel = Number(digits)
  if (!/^\d+$/.test(digits) || !Number.isSafeInteger(channel)) return undefined
  if (space < 0 && (kind === 'm' || digits.length + 1 < frame.length)) return undefined
  return { kind, channel, text: space < 0 ? '' : frame.slice(space + 1) }
}
