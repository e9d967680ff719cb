import { expect, test } from 'vitest'
import {
  equalValues,
  HIDDEN,
  hiddenPathsOf,
  invert,
  squash,
  withHidden,
  withoutHidden,
  type ChangeSet,
  type RowChange,
} from '../../src/changes/index.ts'

const set = (...changes: RowChange[]): ChangeSet => ({ changes, origin: 'local' })
const row = { table: 't', key: 1 } as const

test('what is hidden equals nothing but itself', () => {
  expect(equalValues(HIDDEN, HIDDEN)).toBe(true)
  expect(equalValues(HIDDEN, {})).toBe(false)
  expect(equalValues({}, HIDDEN)).toBe(false)
  expect(equalValues(undefined, HIDDEN)).toBe(false)
})

test('cells from a server without what is hidden in them give it back when asked', () => {
  const cells = { a: 1, b: HIDDEN }
  expect(withoutHidden(cells)).toEqual({ a: 1 })
  expect(Object.keys(withoutHidden(cells))).toEqual(['a'])
  expect(withHidden(withoutHidden(cells))).toEqual(cells)
})

test('the net of several changes knows what was hidden before and what is after', () => {
  const deleted: RowChange = { ...row, op: 'delete', before: withoutHidden({ id: 1, a: HIDDEN, b: 2 }), after: {} }
  const inserted: RowChange = { ...row, op: 'insert', before: {}, after: withoutHidden({ id: 1, a: 5, b: HIDDEN }) }
  const [net] = squash([set(deleted), set(inserted)]).changes
  expect(net).toEqual({ ...row, op: 'update', before: { a: undefined, b: 2 }, after: { a: 5, b: undefined } })
  expect([hiddenPathsOf(net!.before), hiddenPathsOf(net!.after)]).toEqual([['a'], ['b']])
  const [back] = invert(set(net!)).changes
  expect([hiddenPathsOf(back!.before), hiddenPathsOf(back!.after)]).toEqual([['b'], ['a']])
  expect(squash([set(net!), set(back!)]).changes).toEqual([])
  const [gone] = squash([set(net!), set({ ...inserted, op: 'delete', before: inserted.after, after: {} })]).changes
  expect(withHidden(gone!.before)).toEqual({ id: 1, a: HIDDEN, b: 2 })
})
