import { type Frame, parseFrame } from '../mux/frames.ts'
import type { Tabs } from '../../tabs/index.ts'

/**
 * What the tabs of one transport send each other: frames as in ../mux. `o1 database` asks for connection 1 of the asking
 * tab; connections are counted by each tab.
 */
export type TabFrames = Record<string, (frame?: unknown) => unknown>
export type TabLane = Pick<Tabs<TabFrames>, 'id' | 'isLeader' | 'leader$' | 'tabs$' | 'provide' | 'request' | 'stand'>

/** To whoever leads. Answered with the leader's id. */
export function upTo(name: string): string {
  return `transport:${name}:up`
}

/** To one tab. */
export function downTo(name: string, tab: string): string {
  return `transport:${name}:down:${tab}`
}

/** Of another tab, which may run other code. */
export function readFrame(payload: unknown): Frame | undefined {
  return typeof payload === 'string' ? parseFrame(payload) : undefined
}
