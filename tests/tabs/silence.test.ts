import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Silence } from '../../src/tabs/silence.ts'

/** How long this tab has slept, beyond what its timers tell. */
let sleptMs: number
let silent: [string, number][]
let pinged: number
let silence: Silence

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  sleptMs = 0
  silent = []
  pinged = 0
  const now = performance.now.bind(performance)
  vi.spyOn(performance, 'now').mockImplementation(() => now() + sleptMs)
  silence = new Silence({
    silenceMs: 400,
    isAwaited: () => true,
    ping: () => pinged++,
    onSilent: (id, attempt) => silent.push([id, attempt]),
  })
})

afterEach(() => {
  silence.close()
  vi.restoreAllMocks()
  vi.useRealTimers()
})

describe('a tab of which something is expected', () => {
  test('is asked, and counts as silent after the bound', () => {
    silence.expect('other')
    vi.advanceTimersByTime(399)
    expect([pinged, silent]).toEqual([1, []])
    vi.advanceTimersByTime(1)
    expect(silent).toEqual([['other', 1]])
  })

  test('is asked again by one that slept meanwhile: the answer may lie behind its timer', () => {
    silence.expect('other')
    vi.advanceTimersByTime(100)
    sleptMs = 150
    vi.advanceTimersByTime(300)
    expect([pinged, silent]).toEqual([2, []])
    vi.advanceTimersByTime(300)
    expect(silent).toEqual([['other', 1]])
  })
})
