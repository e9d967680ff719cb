import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { applyTo, equalValues, invert, isEmpty, squash } from '../../src/changes/index.ts'
import type { Cells, ChangeSet, RowChange, State } from '../../src/changes/index.ts'
import { arbitraryHistory } from '../support/arbitrary-changes.ts'
import type { History } from '../support/arbitrary-changes.ts'
import { sameState } from '../support/same-state.ts'

const RUNS = { numRuns: 500 }

function insert(key: string, after: Cells): RowChange {
  return { table: 'annotation', key, op: 'insert', before: {}, after }
}

function update(key: string, before: Cells, after: Cells): RowChange {
  return { table: 'annotation', key, op: 'update', before, after }
}

function remove(key: string, before: Cells): RowChange {
  return { table: 'annotation', key, op: 'delete', before, after: {} }
}

function local(...changes: RowChange[]): ChangeSet {
  return { changes, origin: 'local' }
}

function net(...changes: RowChange[]): readonly RowChange[] {
  return squash(changes.map((change) => local(change))).changes
}

function expectState(actual: State, expected: State | undefined): void {
  expect(expected !== undefined && sameState(actual, expected), 'the states differ').toBe(true)
}

function first<Value>(values: readonly Value[]): Value {
  const [value] = values
  if (value === undefined) throw new Error('the history is empty')
  return value
}

describe('replay on plain objects', () => {
  test('each set of a history leads from its state to the next', () => {
    fc.assert(
      fc.property(arbitraryHistory(3), ({ states, sets }) => {
        let state = first(states)
        sets.forEach((set, index) => {
          state = applyTo(state, set)
          expectState(state, states[index + 1])
        })
      }),
      RUNS,
    )
  })

  test('the given state stays as it is', () => {
    fc.assert(
      fc.property(arbitraryHistory(1), ({ states, sets }) => {
        const state = first(states)
        const copy: State = new Map([...state].map(([table, rows]) => [table, new Map(rows)]))
        applyTo(state, first(sets))
        expectState(state, copy)
      }),
      RUNS,
    )
  })

  test('a cell that became absent has no entry, and tables without rows neither', () => {
    const state = applyTo(new Map(), local(insert('a', { x: 1, y: 1 }), update('a', { x: 1 }, { x: undefined })))
    expect([...(state.get('annotation')?.values() ?? [])]).toStrictEqual([{ key: 'a', cells: { y: 1 } }])
    expect(applyTo(state, local(remove('a', { y: 1 }))).size).toBe(0)
  })

  test('an insert that meets a row, and a change that meets none, name the table and the key', () => {
    const state = applyTo(new Map(), local(insert('roads', {})))
    expect(() => applyTo(state, local(insert('roads', {})))).toThrow(/annotation "roads".*exists already/)
    expect(() => applyTo(state, local(update('1', { a: 1 }, { a: 2 })))).toThrow(/annotation "1".*updated.*not exist/)
    expect(() => applyTo(state, local(remove('1', {})))).toThrow(/annotation "1".*deleted.*not exist/)
  })
})

describe('invert', () => {
  test('undoes a set', () => {
    fc.assert(
      fc.property(arbitraryHistory(1), ({ states, sets }) => {
        expectState(applyTo(applyTo(first(states), first(sets)), invert(first(sets))), states[0])
      }),
      RUNS,
    )
  })

  test('twice gives the same changes, and keeps origin, label and tag', () => {
    fc.assert(
      fc.property(arbitraryHistory(1), ({ sets }) => {
        const { draftId: _draft, transactionId: _transaction, ...expected } = first(sets)
        expect(invert(invert(first(sets)))).toEqual(expected)
      }),
      RUNS,
    )
  })
})

describe('squash', () => {
  test('applying the squashed set is applying one after the other', () => {
    fc.assert(
      fc.property(arbitraryHistory(2), ({ states, sets }) => {
        expectState(applyTo(first(states), squash(sets)), states[2])
      }),
      RUNS,
    )
  })

  test('the squashed set can be undone like any other', () => {
    fc.assert(
      fc.property(arbitraryHistory(3), ({ states, sets }) => {
        expectState(applyTo(first(states.slice(3)), invert(squash(sets))), states[0])
      }),
      RUNS,
    )
  })

  test('a set and its inverse are nothing', () => {
    fc.assert(
      fc.property(arbitraryHistory(2), ({ sets }) => {
        expect(isEmpty(squash([...sets, ...sets.map(invert).toReversed()]))).toBe(true)
      }),
      RUNS,
    )
  })

  test('does not depend on how the sets are grouped', () => {
    fc.assert(
      fc.property(arbitraryHistory(3), ({ states, sets }: History) => {
        const left = squash([squash(sets.slice(0, 2)), ...sets.slice(2)])
        const right = squash([...sets.slice(0, 1), squash(sets.slice(1))])
        const whole = squash(sets)
        for (const grouped of [left, right]) {
          expectState(applyTo(first(states), grouped), states[3])
          expect(sameRows(grouped, whole)).toBe(true)
        }
        expect(squash([whole])).toEqual(whole)
      }),
      RUNS,
    )
  })

  test('names a row once, and only cells that differ', () => {
    fc.assert(
      fc.property(arbitraryHistory(3), ({ sets }) => {
        const { changes } = squash(sets)
        expect(changes.every((a, i) => changes.findIndex((b) => sameRow(a, b)) === i)).toBe(true)
        for (const { op, before, after } of changes) {
          if (op !== 'update') continue
          expect(Object.keys(before)).toEqual(Object.keys(after))
          expect(Object.keys(before).length).toBeGreaterThan(0)
          expect(Object.keys(before).some((path) => equalValues(before[path], after[path]))).toBe(false)
        }
      }),
      RUNS,
    )
  })

  test('an insert takes in the updates that follow', () => {
    expect(
      net(insert('a', { x: 1, y: 1 }), update('a', { x: 1, y: 1, z: undefined }, { x: 2, y: undefined, z: 3 })),
    ).toEqual([insert('a', { x: 2, z: 3 })])
  })

  test('a delete has the cells from before the updates that preceded it', () => {
    expect(net(update('a', { x: 1, y: undefined }, { x: 2, y: 2 }), remove('a', { x: 2, y: 2, z: 3 }))).toEqual([
      remove('a', { x: 1, z: 3 }),
    ])
  })

  test('an insert and its delete are nothing', () => {
    expect(net(insert('a', { x: 1 }), update('a', { x: 1 }, { x: 2 }), remove('a', { x: 2 }))).toEqual([])
  })

  test('a delete and an insert are an update of what differs, or nothing', () => {
    const change = net(remove('a', { x: 1, y: 1, z: 1 }), insert('a', { x: 2, y: 1 }))
    expect(change).toStrictEqual([update('a', { x: 1, z: 1 }, { x: 2, z: undefined })])
    expect(net(remove('a', { x: [1] }), insert('a', { x: [1] }))).toEqual([])
  })

  test('a value that came back to where it was is not named', () => {
    expect(net(update('a', { x: 1, y: 1 }, { x: 2, y: 2 }), update('a', { x: 2 }, { x: 1 }))).toEqual([
      update('a', { y: 1 }, { y: 2 }),
    ])
  })

  test('what refers to a deleted row lets go of it first, and what is referred to is inserted first', () => {
    const changes = net(
      update('layer', { name: 'a' }, { name: 'b' }),
      update('pin', { layer: 'layer' }, { layer: undefined }),
      remove('layer', { name: 'b' }),
      insert('new', {}),
      insert('child', { layer: 'new' }),
      update('new', { name: undefined }, { name: 'c' }),
    )
    expect(changes.map(({ key }) => key)).toEqual(['pin', 'layer', 'new', 'child'])
  })

  test('origin is that of the last set, label and tag those of the last that has one', () => {
    const sets: ChangeSet[] = [
      { changes: [], origin: 'undo', label: 'a', tag: 1, draftId: 'd', transactionId: 't1' },
      { changes: [], origin: 'remote', label: 'b', draftId: 'd', transactionId: 't2' },
      { changes: [], origin: 'redo', draftId: 'd' },
    ]
    expect(squash(sets)).toStrictEqual({ changes: [], origin: 'redo', label: 'b', tag: 1, draftId: 'd' })
    expect(squash([])).toStrictEqual({ changes: [], origin: 'local' })
  })

  test('sets that do not follow from each other are refused with the table and the key', () => {
    expect(() => net(insert('a', {}), insert('a', {}))).toThrow(/annotation "a".*exists already/)
    expect(() => net(remove('a', {}), update('a', {}, {}))).toThrow(/annotation "a".*does not exist/)
    expect(() => net(remove('a', {}), remove('a', {}))).toThrow(/annotation "a".*does not exist/)
  })
})

describe('isEmpty', () => {
  test('tells a set without changes', () => {
    expect(isEmpty(local())).toBe(true)
    expect(isEmpty(local(insert('a', {})))).toBe(false)
  })
})

function sameRow(a: RowChange, b: RowChange): boolean {
  return a.table === b.table && equalValues(a.key, b.key)
}

function sameRows(a: ChangeSet, b: ChangeSet): boolean {
  return (
    a.changes.length === b.changes.length &&
    a.changes.every((change) =>
      b.changes.some(
        (other) =>
          sameRow(change, other) &&
          change.op === other.op &&
          equalValues(change.before, other.before) &&
          equalValues(change.after, other.after),
      ),
    )
  )
}
