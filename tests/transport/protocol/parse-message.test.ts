import fc from 'fast-check'
import { formatMessage, MalformedMessageError, parseClientMessage, parseServerMessage } from 'rowcast/transport'
import { expect, test } from 'vitest'
import { arbitraryClientMessage, arbitraryMutation, arbitraryServerMessage } from './arbitrary-messages.ts'

test('what a client says is read as it was said', () => {
  fc.assert(
    fc.property(arbitraryClientMessage, (message) => {
      expect(parseClientMessage(formatMessage(message))).toEqual(message)
    }),
    { numRuns: 1_000 },
  )
})

test('what a server says is read as it was said', () => {
  fc.assert(
    fc.property(arbitraryServerMessage, (message) => {
      expect(parseServerMessage(formatMessage(message))).toEqual(message)
    }),
    { numRuns: 1_000 },
  )
})

test('a text that is no message throws MalformedMessageError, and nothing else', () => {
  const message = fc.oneof(arbitraryClientMessage, arbitraryServerMessage).map(formatMessage)
  const mutated = fc.tuple(message, fc.array(arbitraryMutation, { minLength: 1, maxLength: 3 }))
  const any = fc.oneof(
    mutated.map(([text, mutations]) => mutations.reduce((so, mutate) => mutate(so), text)),
    fc.json(),
    fc.string(),
  )
  fc.assert(
    fc.property(any, fc.constantFrom(parseClientMessage, parseServerMessage), (text, parse) => {
      try {
        parse(text)
      } catch (error) {
        expect(error).toBeInstanceOf(MalformedMessageError)
        expect((error as Error).message.length).toBeLessThan(500)
      }
    }),
    { numRuns: 5_000 },
  )
})

test('what a message says in places where JSON has no form for it stays what it is', () => {
  const read = (value: string): unknown =>
    (parseClientMessage(`{"n":0,"type":"presence","state":${value}}`) as { state: unknown }).state
  expect(read('{"$bigint":"7"}')).toBe(7n)
  expect(read('{"$$bigint":"7"}')).toEqual({ $bigint: '7' })
  expect(Object.keys(read('{"__proto__":{"a":1}}') as object)).toEqual(['__proto__'])
  for (const value of ['{"$bigint":7}', '{"$date":"x"}', '{"$a":1,"b":2}', '{"$bytes":"?"}'])
    expect(() => read(value)).toThrow(MalformedMessageError)
})

test('cells and filters are objects as such, and numbers are finite', () => {
  const change = (after: string, key = '1'): string =>
    `{"n":0,"type":"transact","transactions":[{"id":"t","changes":[{"table":"a","key":${key},"op":"put","after":${after}}]}]}`
  expect(() => parseClientMessage(change('{"$$a":1}'))).not.toThrow()
  for (const after of ['{"$bigint":"7"}', '{"$bytes":""}', '{"$undefined":true}', '[]', 'null'])
    expect(() => parseClientMessage(change(after))).toThrow(MalformedMessageError)
  expect(() => parseClientMessage(change('{}', '1e999'))).toThrow(MalformedMessageError)
  expect(() => parseClientMessage('{"n":1e999,"type":"ping"}')).toThrow(MalformedMessageError)
})
