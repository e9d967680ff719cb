import { useEffect, useMemo } from 'react'
import { type CellValue, equalValues } from '../changes/index.ts'
import type { SchemaInput } from '../schema/index.ts'
import type { PresenceOther, StoreSync } from '../store/index.ts'
import { type ScopeContext, useScope } from './scope.ts'
import { useClientStream } from './use-client-stream.ts'
import { useStable } from './use-stable.ts'

/** Who else has the database open, and what they are told of oneself. */
export interface PresenceHandle {
  /** The same array while nothing about the others has changed. Empty on the server, and while hydrating. */
  readonly others: readonly PresenceOther[]
  /**
   * Says something of oneself to the others: JSON, not to be changed afterwards. `null` takes it back, and so does
   * unmounting. The same function while the store is.
   */
  readonly setState: (state: unknown) => void
}

/**
 * The others who have the database open; renders again when they change. A `state` (JSON) is told to them while the
 * component is mounted: it may be written inline, for an equal one is not sent again. A store speaks with one voice: of
 * several components the one that has set its state last counts, and once it is gone the one before. What was set
 * within one task is sent together, in a microtask.
 */
export type UsePresence = (state?: unknown) => PresenceHandle

type Presence = StoreSync['presence']

/** A component that may say something. */
interface Speaker {
  isMounted: boolean
}

/** What is said on one connection. */
interface Speech {
  /** In the order they were set. */
  readonly states: Map<Speaker, unknown>
  sent: unknown
}

const speeches = new WeakMap<Presence, Speech>()
const NOBODY: readonly PresenceOther[] = []

/** Makes the `usePresence` of a context. */
export function createUsePresence<S extends SchemaInput>(context: ScopeContext<S>): UsePresence {
  return function usePresence(state?: unknown): PresenceHandle {
    const { store } = useScope(context)
    // Read once: a closed store throws here, and who was shown last stays on the screen.
    const [presence, others$] = useMemo(() => {
      const { presence: made } = store.sync
      return [made, made.others$] as const
    }, [store])
    const stable = useStable(state)
    const [speaker, setState] = useMemo(() => {
      const made: Speaker = { isMounted: false }
      return [made, (next: unknown) => say(presence, made, next)] as const
    }, [presence])
    useEffect(() => {
      speaker.isMounted = true
      if (stable !== undefined) setState(stable)
      return () => {
        speaker.isMounted = false
        setState(null)
      }
    }, [speaker, setState, stable])
    const others = useClientStream(others$, NOBODY)
    return { others, setState }
  }
}

function say(presence: Presence, speaker: Speaker, state: unknown): void {
  let speech = speeches.get(presence)
  if (!speech) speeches.set(presence, (speech = { states: new Map(), sent: null }))
  const { states } = speech
  states.delete(speaker)
  if (state !== null && state !== undefined) states.set(speaker, state)
  queueMicrotask(() => send(presence, speech))
}

/**
 * Sends what counts, if it is news. By now the effects of everything that was mounted together have run: one that
 * StrictMode, or another state, has run again says nothing in between, and who is not mounted now is gone.
 */
function send(presence: Presence, speech: Speech): void {
  let last: unknown = null
  for (const [speaker, state] of speech.states)
    if (speaker.isMounted) last = state
    else speech.states.delete(speaker)
  if (equalValues(last as CellValue, speech.sent as CellValue)) return
  presence.set(last)
  speech.sent = last
}
