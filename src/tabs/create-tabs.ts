import { RowcastError } from '../errors/index.ts'
import type { AnyTabCalls, TabCalls, Tabs, TabsOptions } from './api.ts'
import { OpenTabs } from './open-tabs.ts'

/**
 * Joins the tabs of this origin that gave the same name. Returns at once; what is asked before this tab has met the
 * others waits. Types of calls are declared by a type parameter, a function each:
 * `createTabs<{ save(text: string): number }>({ name: 'project' })`.
 *
 * Throws RowcastError with code `tabs` for options that can't be, and with code `tabs-unsupported` where there are no
 * Web Locks (they need a secure context) or no BroadcastChannel.
 */
export function createTabs<Calls extends TabCalls<Calls> = AnyTabCalls>(options: TabsOptions): Tabs<Calls> {
  const { name, term = 10_000, silenceMs = 800 } = options
  if (typeof name !== 'string' || name === '')
    throw new RowcastError('tabs', 'createTabs: name must be a text that is not empty')
  if (typeof term !== 'number' || !(term >= 0))
    throw new RowcastError('tabs', `createTabs: term is ${String(term)}: expected milliseconds, 0 or more`)
  if (typeof silenceMs !== 'number' || !(silenceMs > 0 && silenceMs < 2 ** 31))
    throw new RowcastError('tabs', `createTabs: silenceMs is ${String(silenceMs)}: expected milliseconds, more than 0`)
  if (typeof navigator === 'undefined' || !('locks' in navigator))
    throw new RowcastError(
      'tabs-unsupported',
      'createTabs needs Web Locks (navigator.locks): serve the page from https or localhost, or use Node 24 or newer',
    )
  if (typeof BroadcastChannel === 'undefined')
    throw new RowcastError('tabs-unsupported', 'createTabs needs BroadcastChannel, which is missing here')
  return new OpenTabs<Calls>(name, term, silenceMs)
}
