import fc from 'fast-check'
import { formatMessage, MalformedMessageError, parseClientMessage } from 'rowcast/transport'
import { expect, test } from 'vitest'
import { allAtOnce } from '../../src/changes/index.ts'
import { readClientMessage } from '../../src/server/read-message.ts'
import { arbitraryClientMessage, arbitraryMutation } from '../transport/protocol/arbitrary-messages.ts'

test('a message is read in steps as it is at once, and refused where it is none', () => {
  const outcome = (read: () => unknown): unknown => {
    try {
      return read()
    } catch (error) {
      if (error instanceof MalformedMessageError) return error.message
      throw error
    }
  }
  fc.assert(
    fc.property(arbitraryClientMessage, fc.option(arbitraryMutation, { nil: undefined }), (message, mutation) => {
      const text = mutation ? mutation(formatMessage(message)) : formatMessage(message)
      expect(outcome(() => allAtOnce(readClientMessage(text)).message)).toEqual(outcome(() => parseClientMessage(text)))
    }),
    { numRuns: 1_000 },
  )
})

test('of a subscription that is written with too much only what it is called is read', () => {
  const where = { or: Array.from({ length: 50 }, (_, n) => ({ title: { contains: `${n}` } })) }
  const subscription = { id: 'a "b"', sets: [{ table: 'note', where }] }
  const text = JSON.stringify({ n: 7, type: 'subscribe', subscription })
  expect(allAtOnce(readClientMessage(text, 200)).message).toEqual({ n: 7, type: 'subscribe', subscription })
  expect(allAtOnce(readClientMessage(text, 50))).toEqual({
    message: { n: 7, type: 'subscribe', subscription: { id: 'a "b"', sets: [] } },
    containers: 0,
    isTooDear: true,
  })
  const nameless = JSON.stringify({ n: 7, type: 'subscribe', subscription: { sets: [where] } })
  expect(() => allAtOnce(readClientMessage(nameless, 50))).toThrow(MalformedMessageError)
  const transact = { n: 0, type: 'transact', transactions: [{ id: 'x', changes: [where] }] }
  expect(() => allAtOnce(readClientMessage(JSON.stringify(transact), 50))).toThrow(MalformedMessageError)
})
