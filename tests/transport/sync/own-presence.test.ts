import { expect, test } from 'vitest'
import { OwnPresence } from '../../../src/transport/sync/own-presence.ts'
import { ManualTimers } from '../../support/manual-timers.ts'

function presence() {
  const timers = new ManualTimers()
  const sent: unknown[] = []
  return { timers, sent, own: new OwnPresence(timers, (state) => sent.push(state)) }
}

test('of many states the first is sent at once, and the last after a pause', () => {
  const { timers, sent, own } = presence()
  own.connected()
  for (let n = 0; n < 1_000; n++) own.set(n)
  expect(sent).toEqual([0])
  timers.next()
  expect(sent).toEqual([0, 999])
  timers.next()
  expect(sent).toEqual([0, 999])
  expect(timers.pending).toBe(0)
  own.set('later')
  expect(sent.at(-1)).toBe('later')
})

test('what was said while offline, or on a connection before, is said once to the next one', () => {
  const { timers, sent, own } = presence()
  own.connected()
  expect(sent).toEqual([])
  own.disconnected()
  own.set('offline')
  own.set('still offline')
  expect(sent).toEqual([])
  own.connected()
  expect(sent).toEqual(['still offline'])
  own.set('in the pause')
  own.disconnected()
  expect(timers.pending).toBe(0)
  own.connected()
  expect(sent).toEqual(['still offline', 'in the pause'])
})
