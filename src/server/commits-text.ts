import { serializeValue } from '../changes/index.ts'
import type { WireCommit } from '../transport/index.ts'
import type { Committed } from './decided.ts'
import { wireChange } from './viewer.ts'

const known = new WeakMap<readonly Committed[], string>()

/**
 * The message that tells everyone who sees everything of these transactions, without its opening brace. Made once,
 * however many are told: they all subscribed to the same, so their positions are the same too.
 */
export function commitsText(committed: readonly Committed[], position: () => string): string {
  let text = known.get(committed)
  if (text === undefined) {
    const commits = committed.map(({ record, transitions }): WireCommit => ({
      ...(record.label !== undefined && { label: record.label }),
      ...(record.by !== undefined && { by: record.by }),
      ...(record.name !== undefined && { name: record.name }),
      changes: transitions.map(({ change }) => wireChange(change)),
    }))
    const { sequence } = committed.at(-1)!
    text = serializeValue({ type: 'commits', commits, position: position(), sequence }).slice(1)
    known.set(committed, text)
  }
  return text
}
