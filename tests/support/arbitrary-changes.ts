import fc from 'fast-check'
import { keyId } from '../../src/changes/index.ts'
import type { Cells, CellValue, ChangeSet, Key, Origin, RowChange, State, StateRow } from '../../src/changes/index.ts'

/** Keys that look alike, that look like what stands for another, or that objects have by nature. */
const KEYS: readonly Key[] = [1, '1', 1n, true, '', '__proto__', 'toString', '\0[1', ['1', 1], [1, '1'], ['a', 1n], [1]]

const PATHS = ['size', 'text.font.size', 'points', '__proto__', 'toString', '', '$bigint', 'a\\.b']

const MEMBERS = ['x', '', 'a.b', '__proto__', 'toString', '$bytes', '$$undefined', 'a\\', '0']

const ORIGINS: readonly Origin[] = ['local', 'remote', 'undo', 'redo', 'cancel', 'rebase', 'import']

const PRIMITIVES: readonly CellValue[] = [
  0,
  1,
  -0,
  0.1,
  NaN,
  Infinity,
  '',
  'a',
  true,
  false,
  null,
  undefined,
  0n,
  2n ** 63n,
  -1n,
]

/** Any cell value, `undefined` and nested values with awkward keys included; small, so that equals are met. */
export const arbitraryValue: fc.Arbitrary<CellValue> = fc.letrec<{ value: CellValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(...PRIMITIVES),
    fc.string({ unit: 'binary', maxLength: 3 }),
    fc.uint8Array({ maxLength: 3 }),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.array(fc.tuple(fc.constantFrom(...MEMBERS), tie('value')), { maxLength: 3 }).map(objectOf),
  ),
})).value

/** A cell as it is stored: anything but absent. */
const arbitraryStored = arbitraryValue.filter((value) => value !== undefined)

/** An object with these own properties, `__proto__` among them if it is named. */
function objectOf(entries: readonly (readonly [string, CellValue])[]): { [key: string]: CellValue } {
  return Object.fromEntries(entries)
}

/** A run of ChangeSets, each of which follows from the one before. */
export interface History {
  /** `states[i]` is what `sets[i]` meets, `states[i + 1]` what it leaves: worked out without the code under test. */
  readonly states: readonly State[]
  readonly sets: readonly ChangeSet[]
}

interface Step {
  readonly table: string
  readonly key: Key
  readonly remove: boolean
  readonly insert: Cells
  readonly update: readonly (readonly [string, CellValue])[]
}

const arbitraryStep: fc.Arbitrary<Step> = fc.record({
  table: fc.constantFrom('annotation', '__proto__'),
  key: fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...KEYS.slice(0, 2)) }, fc.constantFrom(...KEYS)),
  remove: fc.boolean(),
  insert: fc.array(fc.tuple(fc.constantFrom(...PATHS), arbitraryStored), { maxLength: 4 }).map(objectOf),
  update: fc.uniqueArray(fc.tuple(fc.constantFrom(...PATHS), arbitraryValue), {
    maxLength: 3,
    selector: ([path]) => path,
  }),
})

const arbitraryHead = fc.record(
  {
    origin: fc.constantFrom(...ORIGINS),
    label: fc.string({ maxLength: 3 }),
    tag: arbitraryValue,
    draftId: fc.constantFrom('d1', 'd2'),
    transactionId: fc.constantFrom('t1', 't2'),
  },
  { requiredKeys: ['origin'] },
)

/** A history of `length` ChangeSets on a state that has some rows already. */
export function arbitraryHistory(length: number): fc.Arbitrary<History> {
  const steps = fc.array(arbitraryStep, { maxLength: 8 })
  const sets = fc.array(fc.tuple(steps, arbitraryHead), { minLength: length, maxLength: length })
  return fc.tuple(steps, sets).map(([before, after]) => {
    const rows = new Map<string, { readonly table: string; readonly row: StateRow }>()
    for (const step of before) take(rows, step)
    const states = [stateOf(rows)]
    const history = after.map(([taken, head]) => {
      const changes = taken.map((step) => take(rows, step))
      states.push(stateOf(rows))
      return { ...head, changes }
    })
    return { states, sets: history }
  })
}

function take(rows: Map<string, { readonly table: string; readonly row: StateRow }>, step: Step): RowChange {
  const { table, key } = step
  const id = `${table} ${textOf(key)}`
  const cells = rows.get(id)?.row.cells
  if (cells === undefined) {
    rows.set(id, { table, row: { key, cells: step.insert } })
    return { table, key, op: 'insert', before: {}, after: step.insert }
  }
  if (step.remove) {
    rows.delete(id)
    return { table, key, op: 'delete', before: cells, after: {} }
  }
  const old = new Map(Object.entries(cells))
  const before = objectOf(step.update.map(([path]) => [path, old.get(path)]))
  const merged = new Map([...old, ...step.update])
  rows.set(id, { table, row: { key, cells: objectOf([...merged].filter(([, value]) => value !== undefined)) } })
  return { table, key, op: 'update', before, after: objectOf(step.update) }
}

function stateOf(rows: Map<string, { readonly table: string; readonly row: StateRow }>): State {
  const state = new Map<string, Map<ReturnType<typeof keyId>, StateRow>>()
  for (const { table, row } of rows.values()) {
    if (!state.has(table)) state.set(table, new Map())
    state.get(table)?.set(keyId(row.key), row)
  }
  return state
}

function textOf(key: Key): string {
  return typeof key === 'object' ? `[${key.map(textOf).join()}]` : `${typeof key} ${JSON.stringify(String(key))}`
}
