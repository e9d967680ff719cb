import { Unread, type Reader } from '../../src/server/unread.ts'
import { expect, test } from 'vitest'

test('channels of one line count its bytes once, and what waits for each of them', () => {
  const unread = new Unread(10_000)
  const line = {}
  const channels = Array.from({ length: 10 }, (): Reader => ({ line, buffered: 6_000, queued: 100 }))
  for (const channel of channels) unread.enter('ann', channel)
  expect(unread.isTooMuch('ann', channels[0]!)).toBe(false)
  const other: Reader = { line: {}, buffered: 3_500, queued: 0 }
  const leave = unread.enter('ann', other)
  expect(unread.isTooMuch('ann', other)).toBe(true)
  expect(unread.isTooMuch('bob', other)).toBe(false)
  leave()
  expect(unread.isTooMuch('ann', channels[0]!)).toBe(false)
})
