import { keyId } from '../../src/changes/index.ts'
import type { Access } from '../../src/server/access.ts'
import type { Committed } from '../../src/server/decided.ts'
import type { Point } from '../../src/server/history.ts'
import { RecentChanges } from '../../src/server/recent-changes.ts'
import { Verdicts } from '../../src/server/verdicts.ts'
import { expect, test } from 'vitest'

const access = {
  user: { id: 'ann' },
  canView: () => true,
  shown: (_table: string, row: object) => row,
  withholds: () => false,
} as unknown as Access

/** A history whose digests are its numbers. */
function point(sequence: number): Point {
  return { sequence, digest: String(sequence) }
}

function committed(sequence: number, text: string): Committed {
  const change = { table: 'note', key: sequence, op: 'insert', before: {}, after: { text } }
  const transition = { change, id: keyId(sequence), before: undefined, after: { text }, cells: { text } }
  const { digest: parent } = point(sequence - 1)
  return { ...point(sequence), transitions: [transition], record: { parent } } as unknown as Committed
}

test('the newest changes are known as far back as their bytes allow, and what is older is long ago', () => {
  const recent = new RecentChanges(point(0), 100_000)
  const read = (at: number): void => recent.assertUnchanged([{ table: 'other' }], point(at), access, [])
  for (let n = 1; n <= 100; n++) recent.push([committed(n, 'x'.repeat(10_000))])
  expect(() => read(100)).not.toThrow()
  expect(() => read(99)).not.toThrow()
  expect(() => read(90)).toThrow('long ago')
  expect(() => recent.assertUnchanged([{ table: 'note', keys: [100] }], point(99), access, [])).toThrow('changed')
})

test('one change that is larger than all that may be kept is forgotten at once', () => {
  const recent = new RecentChanges(point(0), 1_000)
  recent.push([committed(1, 'x'.repeat(10_000))])
  expect(() => recent.assertUnchanged([{ table: 'other' }], point(0), access, [])).toThrow('long ago')
  expect(() => recent.assertUnchanged([{ table: 'other' }], point(1), access, [])).not.toThrow()
})

test('refusals are remembered as far back as their bytes allow', () => {
  const verdicts = new Verdicts(10_000)
  for (let n = 0; n < 20; n++) verdicts.set(access, `id ${n}`, { code: 'conflict', reason: 'x'.repeat(1_000) })
  expect(verdicts.get(access, 'id 19')).toMatchObject({ code: 'conflict' })
  expect(verdicts.get(access, 'id 11')).toBeUndefined()
  verdicts.set(access, 'long', { code: 'conflict', reason: 'x'.repeat(20_000) })
  expect(verdicts.get(access, 'long')).toBeUndefined()
})
