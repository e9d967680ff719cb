import { serializeValue } from '../changes/index.ts'
import type { WireCommit } from '../transport/index.ts'
import type { Committed } from './decided.ts'
import { wireChange } from './viewer.ts'

/** By what is told: the text with the names of authors, and without. */
const known = {
  named: new WeakMap<readonly Committed[], string>(),
  unnamed: new WeakMap<readonly Committed[], string>(),
}

/**
 * The message that tells everyone who sees everything of these transactions, without its opening brace. Made once,
 * however many are told: they all subscribed to the same, so their positions are the same too. `named`: whether it has the
 * names of authors, which clients of before version 4 don't know.
 */
export function commitsText(committed: readonly Committed[], named: boolean, position: () => string): string {
  const texts = known[named ? 'named' : 'unnamed']
  let text = texts.get(committed)
  if (text === undefined) {
    const commits = committed.map(({ record, transitions }): WireCommit => ({
      ...(record.label !== undefined && { label: record.label }),
      ...(record.by !== undefined && { by: record.by }),
      ...(named && record.name !== undefined && { name: record.name }),
      changes: transitions.map(({ change }) => wireChange(change)),
    }))
    const { sequence } = committed.at(-1)!
    text = serializeValue({ type: 'commits', commits, position: position(), sequence }).slice(1)
    texts.set(committed, text)
  }
  return text
}
