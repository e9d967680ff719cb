import { defineSchema } from 'rowcast'

/** Layers that items refer to in each of the three ways, and items with two unique constraints. */
export const modelSchema = defineSchema({
  version: 1,
  tables: {
    layer: {
      primaryKey: 'id',
      schema: {
        type: 'object',
        required: ['id'],
        properties: { id: { type: 'string' }, name: { type: 'string', default: 'new' } },
      },
    },
    item: {
      primaryKey: 'id',
      unique: [['slug'], ['x', 'y']],
      references: {
        a: { table: 'layer', onDelete: 'cascade' },
        b: { table: 'layer', onDelete: 'setNull' },
        c: { table: 'layer', onDelete: 'restrict' },
      },
      schema: {
        type: 'object',
        required: ['id'],
        properties: {
          id: { type: 'string' },
          slug: { type: 'string' },
          x: { type: 'integer' },
          y: { type: 'integer' },
          rank: { type: 'integer', minimum: 0, default: 0 },
          text: { type: 'object', properties: { size: { type: 'number', default: 12 }, note: { type: 'string' } } },
          points: { type: 'array', items: { type: 'integer' } },
          a: { type: 'string' },
          b: { type: 'string' },
          c: { type: 'string' },
        },
      },
    },
  },
})

export type TableId = 'layer' | 'item'
export type Value = string | number | readonly number[] | undefined
/** A row's cells by path, without its key. What is at its default is not there. */
export type PlainCells = { readonly [path: string]: Value }
export type State = { readonly [T in TableId]: ReadonlyMap<string, PlainCells> }

export const PATHS: { readonly [T in TableId]: readonly string[] } = {
  layer: ['name'],
  item: ['slug', 'x', 'y', 'rank', 'text.size', 'text.note', 'points', 'a', 'b', 'c'],
}
export const DEFAULTS: { readonly [path: string]: Value } = { name: 'new', rank: 0, 'text.size': 12 }
export const TABLES: readonly TableId[] = ['layer', 'item']

export const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)

/** A row as `get` gives it. */
export function rowOf(table: TableId, key: string, cells: PlainCells): object {
  if (table === 'layer') return { id: key, name: cells['name'] ?? 'new' }
  const { slug, x, y, rank, points, a, b, c } = cells
  const note = cells['text.note']
  const row = {
    id: key,
    slug,
    x,
    y,
    rank: rank ?? 0,
    text: { size: cells['text.size'] ?? 12, ...(note !== undefined && { note }) },
    points,
    a,
    b,
    c,
  }
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== undefined))
}

/** A row as `select *` gives it, by column. */
export function sqlRowOf(table: TableId, key: string, cells: PlainCells): object {
  const row: { [column: string]: unknown } = { id: key }
  for (const path of PATHS[table]) {
    const value = cells[path] ?? DEFAULTS[path] ?? null
    row[path.replace('.', '_')] = Array.isArray(value) ? JSON.stringify(value) : value
  }
  return row
}

/** What a step comes to. `skip` where neither DESIGN.md nor API.md says what happens. */
export type Verdict =
  | { readonly is: 'ok' }
  | { readonly is: 'skip'; readonly why: string }
  | {
      readonly is: 'fail'
      readonly error: 'constraint' | 'not-found' | 'validation'
      readonly draft?: boolean
      readonly deferred?: boolean
    }

export const OK: Verdict = { is: 'ok' }
const skip = (why: string): Verdict => ({ is: 'skip', why })

interface Entry {
  readonly draft: number
  readonly value: Value
}

interface ModelRow {
  /** The committed cells; undefined where the row is not committed. */
  base: { [path: string]: Value } | undefined
  /** What an open draft says of the row's existence. */
  exists: { readonly draft: number; readonly value: boolean } | undefined
  /** The drafts' entries by path, the last to write at the end. */
  cells: { [path: string]: Entry[] }
  /** Drafts that inserted and deleted it again. */
  traces: number[]
}

type Rows = { readonly [T in TableId]: Map<string, ModelRow> }

/** One row of a committed step. */
export interface StepRow {
  readonly table: TableId
  readonly key: string
  readonly before: PlainCells | undefined
  readonly after: PlainCells | undefined
}

/** A cell that was changed under or over a draft. */
export interface LostCell {
  readonly draft: number
  readonly table: TableId
  readonly key: string
  readonly path: string
  readonly mine: Value
  readonly theirs: Value
  /** Whether the draft has lost it; otherwise it still lies on top. */
  readonly taken: boolean
}

export type Mode = 'api' | 'sql'
export const OUTSIDE = 0

/** What a store should be, in plain objects: a stack of drafts' values for each cell, over what is committed. */
export class StoreModel {
  rows: Rows = { layer: new Map<string, ModelRow>(), item: new Map<string, ModelRow>() }
  open: readonly number[] = []
  done: readonly (readonly StepRow[])[] = []
  undone: readonly (readonly StepRow[])[] = []
  /** How many steps were set aside, as they could not be undone or done again. */
  skipped = 0
  /** Cells that the last step changed below a draft that covers them, or took. */
  lost: LostCell[] = []

  clone(): StoreModel {
    const copy = new StoreModel()
    copy.rows = structuredClone(this.rows)
    copy.open = this.open
    copy.done = this.done
    copy.undone = this.undone
    copy.skipped = this.skipped
    copy.lost = [...this.lost]
    return copy
  }

  become(other: StoreModel): void {
    this.rows = other.rows
    this.open = other.open
    this.done = other.done
    this.undone = other.undone
    this.skipped = other.skipped
    this.lost = other.lost
  }

  /** The rows that are there if of the open drafts just these were. */
  state(drafts: readonly number[] = this.open): State {
    const read = (table: TableId): Map<string, PlainCells> => {
      const found = new Map<string, PlainCells>()
      for (const key of [...this.rows[table].keys()].toSorted()) {
        const cells = this.read(table, key, drafts)
        if (cells) found.set(key, cells)
      }
      return found
    }
    return { layer: read('layer'), item: read('item') }
  }

  get committed(): State {
    return this.state([])
  }

  read(table: TableId, key: string, drafts: readonly number[] = this.open): PlainCells | undefined {
    const row = this.rows[table].get(key)
    if (!row) return undefined
    const there = row.exists && drafts.includes(row.exists.draft) ? row.exists.value : row.base !== undefined
    if (!there) return undefined
    const cells: { [path: string]: Value } = {}
    for (const path of PATHS[table]) {
      const top = row.cells[path]?.findLast((entry) => drafts.includes(entry.draft))
      const value = top ? top.value : row.base?.[path]
      if (value !== undefined) cells[path] = value
    }
    return cells
  }

  /** Whether anything of a row is held by drafts other than `who`. */
  heldByOthers(table: TableId, key: string, who: number): boolean {
    const row = this.rows[table].get(key)
    if (!row) return false
    if (row.exists && row.exists.draft !== who) return true
    if (row.traces.some((draft) => draft !== who)) return true
    return Object.values(row.cells).some((entries) => entries.some((entry) => entry.draft !== who))
  }

  #row(table: TableId, key: string): ModelRow {
    let row = this.rows[table].get(key)
    if (!row) this.rows[table].set(key, (row = { base: undefined, exists: undefined, cells: {}, traces: [] }))
    return row
  }

  insert(who: number, table: TableId, key: string, cells: PlainCells): Verdict {
    if (this.read(table, key)) return { is: 'fail', error: 'constraint' }
    if (this.heldByOthers(table, key, who)) return skip('insert where another draft holds something')
    const row = this.#row(table, key)
    if (who === OUTSIDE) row.base = { ...cells }
    else {
      row.exists = { draft: who, value: true }
      for (const path of PATHS[table]) row.cells[path] = [{ draft: who, value: cells[path] }]
    }
    return OK
  }

  write(who: number, table: TableId, key: string, path: string, value: Value, mode: Mode): Verdict {
    const row = this.rows[table].get(key)
    const now = this.read(table, key)
    if (!row || !now) return { is: 'fail', error: 'not-found' }
    if (row.exists && row.exists.draft !== who) {
      if (who === OUTSIDE && row.base === undefined)
        return same(now[path], value)
          ? skip('the same value in a draft-only row')
          : { is: 'fail', error: 'constraint', draft: true, deferred: true }
      return skip("another draft's row")
    }
    const entries = row.cells[path] ?? []
    const unchanged = same(now[path], value)
    if (unchanged && (mode === 'sql' || (entries.length === 0 && who === OUTSIDE))) return OK
    if (unchanged && entries.length === 0) return skip('a draft writes the value that an uncovered cell has')
    if (who === OUTSIDE) {
      for (const entry of entries)
        this.lost.push({ draft: entry.draft, table, key, path, mine: entry.value, theirs: value, taken: true })
      row.cells[path] = []
      row.base![path] = value
    } else row.cells[path] = [...entries.filter((entry) => entry.draft !== who), { draft: who, value }]
    return OK
  }

  delete(who: number, table: TableId, key: string): Verdict {
    const row = this.rows[table].get(key)
    if (!row || !this.read(table, key)) return OK
    if (row.exists && row.exists.draft !== who) return skip("deletes another draft's row")
    if (table === 'layer') {
      const verdict = this.#cascade(who, key)
      if (verdict.is !== 'ok') return verdict
    }
    if (who === OUTSIDE) {
      if (this.heldByOthers(table, key, who)) return skip('deletes a row that a draft edits')
      row.base = undefined
    } else if (row.base === undefined) {
      if (this.heldByOthers(table, key, who)) return skip('deletes a row that another draft edits')
      row.exists = undefined
      row.cells = {}
      row.traces.push(who)
    } else {
      row.exists = { draft: who, value: false }
      for (const path of PATHS[table]) row.cells[path] = (row.cells[path] ?? []).filter((entry) => entry.draft !== who)
    }
    return OK
  }

  #cascade(who: number, layer: string): Verdict {
    const items = [...this.state().item].filter(([, cells]) => [cells['a'], cells['b'], cells['c']].includes(layer))
    const hidden = [...this.rows.item].some(([key, row]) => {
      const shown = this.state().item.get(key)
      return ['a', 'b', 'c'].some((path) => {
        const values = [row.base?.[path], ...(row.cells[path] ?? []).map((entry) => entry.value)]
        return values.includes(layer) && shown?.[path] !== layer && this.heldByOthers('item', key, who)
      })
    })
    if (hidden) return skip('a delete of what a hidden value refers to')
    const restricted = items.filter(([, cells]) => cells['c'] === layer)
    if (restricted.some(([, cells]) => cells['a'] === layer)) return skip('restrict and cascade of one row')
    if (restricted.length > 0) return { is: 'fail', error: 'constraint', deferred: true }
    for (const [key, cells] of items) {
      if (this.heldByOthers('item', key, who)) return skip('a cascade into a row that another draft edits')
      const verdict =
        cells['a'] === layer ? this.delete(who, 'item', key) : this.write(who, 'item', key, 'b', undefined, 'sql')
      if (verdict.is !== 'ok') return verdict.is === 'fail' ? skip("a cascade into another draft's row") : verdict
    }
    return OK
  }

  /** Whether a step that `who` has made may stand: what must fail, and what isn't specified. */
  judge(who: number, deletes: boolean): Verdict {
    const broken = breach(this.state())
    if (broken === 'reference' && deletes) return skip('a delete leaves a reference')
    if (broken !== undefined)
      return { is: 'fail', error: 'constraint', ...(broken === 'reference' && { deferred: true }) }
    const alone = breach(this.state(who === OUTSIDE ? [] : [who]))
    if (alone !== undefined && !deletes) return { is: 'fail', error: 'constraint', draft: true, deferred: true }
    return this.#everyCancelWorks() ? OK : skip('only some cancels would collide')
  }

  #everyCancelWorks(): boolean {
    return subsets(this.open).every((drafts) => breach(this.state(drafts)) === undefined)
  }

  /** Whether a draft has entries that show what was there before, in cells that nothing covered. */
  cameBack(before: StoreModel, draft: number): boolean {
    return TABLES.some((table) =>
      [...this.rows[table]].some(([key, row]) => {
        const old = before.rows[table].get(key)
        if (draft === OUTSIDE || !old) return false
        if (
          row.exists?.draft === draft &&
          (old.base !== undefined || old.exists !== undefined) &&
          row.exists.value &&
          !old.exists?.value
        )
          return true
        return PATHS[table].some((path) => {
          const own = row.cells[path]?.find((entry) => entry.draft === draft)
          return (
            own !== undefined &&
            (old.cells[path] ?? []).length === 0 &&
            same(own.value, before.read(table, key)?.[path])
          )
        })
      }),
    )
  }

  cancel(draft: number): Verdict {
    this.#drop(draft)
    return OK
  }

  #drop(draft: number): void {
    for (const table of TABLES) {
      for (const row of this.rows[table].values()) {
        if (row.exists?.draft === draft) row.exists = undefined
        row.traces = row.traces.filter((trace) => trace !== draft)
        for (const [path, entries] of Object.entries(row.cells))
          row.cells[path] = entries.filter((entry) => entry.draft !== draft)
      }
    }
    this.open = this.open.filter((id) => id !== draft)
  }

  /** The draft's net change against what is committed. */
  net(draft: number): StepRow[] {
    const net: StepRow[] = []
    for (const table of TABLES) {
      for (const [key, row] of this.rows[table]) {
        const before = row.base && stored(row.base)
        const there = row.exists?.draft === draft ? row.exists.value : before !== undefined
        const after: { [path: string]: Value } = {}
        for (const path of PATHS[table]) {
          const own = row.cells[path]?.find((entry) => entry.draft === draft)
          after[path] = own ? own.value : before?.[path]
        }
        const kept = there ? stored(after) : undefined
        if (!same(sorted(before), sorted(kept))) net.push({ table, key, before, after: kept })
      }
    }
    return net
  }

  commit(draft: number): Verdict {
    const net = this.net(draft)
    for (const { table, key, before, after } of net) {
      if ((before === undefined) !== (after === undefined) && this.heldByOthers(table, key, draft))
        return skip('commits the existence of a row that others hold')
    }
    this.#drop(draft)
    for (const { table, key, before, after } of net) {
      this.#row(table, key).base = after && { ...after }
      if (before && after) this.#underneath({ table, key, before, after })
    }
    if (!this.#everyCancelWorks()) return skip('a commit that collides with another draft')
    if (net.length > 0) this.record(net)
    return OK
  }

  record(step: readonly StepRow[]): void {
    this.done = [...this.done, step]
    this.undone = []
  }

  undo(): Verdict {
    const step = this.done.at(-1)
    if (!step) return OK
    return this.#revert(step, (reverted) => {
      this.done = this.done.slice(0, -1)
      if (reverted) this.undone = [reverted, ...this.undone]
    })
  }

  redo(): Verdict {
    const step = this.undone[0]
    if (!step) return OK
    return this.#revert(step, (reverted) => {
      this.undone = this.undone.slice(1)
      if (reverted) this.done = [...this.done, reverted]
    })
  }

  /** Takes back what stands of a step. `then` is told what that came to: nothing where the step is set aside. */
  #revert(step: readonly StepRow[], then: (reverted: readonly StepRow[] | undefined) => void): Verdict {
    const before = this.committed
    const rows = structuredClone(this.rows)
    let stands = 0
    for (const one of step) {
      const took = this.#revertRow(one)
      if (typeof took !== 'number') return took
      stands += took
    }
    const going = new Set(step.flatMap((one) => (one.table === 'layer' && !one.before ? [one.key] : [])))
    let takesMore = false
    for (const [key, { base }] of this.rows.item) {
      for (const path of ['a', 'b', 'c']) {
        if (!base || !going.has(String(base[path])) || this.rows.layer.get(String(base[path]))?.base) continue
        if (this.heldByOthers('item', key, OUTSIDE)) return skip('an undo that takes away what a draft’s row refers to')
        if (path === 'b') base[path] = undefined
        else takesMore = true
      }
    }
    if (stands === 0 || takesMore || breach(this.committed) !== undefined) {
      if (this.open.length > 0 && stands > 0) return skip('an undo that collides')
      this.rows = rows
      this.lost = []
      this.skipped++
      then(undefined)
      return OK
    }
    if (!this.#everyCancelWorks()) return skip('an undo that collides')
    then(diffStates(before, this.committed))
    return OK
  }

  /** How much of a row was as the step left it. */
  #revertRow({ table, key, before, after }: StepRow): number | Verdict {
    const row = this.#row(table, key)
    if (row.exists || row.traces.length > 0) return skip('undo of a row that a draft holds')
    if (after === undefined || before === undefined) {
      if (this.heldByOthers(table, key, OUTSIDE)) return skip('undo of a row that a draft edits')
      if ((row.base === undefined) !== (after === undefined)) return 0
      if (after && !same(sorted(stored(row.base!)), sorted(after)))
        return skip('undo of an insert after another change')
      row.base = before && { ...before }
      return 1
    }
    let stands = 0
    for (const path of PATHS[table]) {
      if (!row.base || same(before[path], after[path]) || !same(row.base[path], after[path])) continue
      for (const entry of row.cells[path] ?? [])
        this.lost.push({ draft: entry.draft, table, key, path, mine: entry.value, theirs: before[path], taken: true })
      row.cells[path] = []
      row.base[path] = before[path]
      stands++
    }
    return stands
  }

  /** What changes below drafts that hold the same cells. */
  #underneath({ table, key, before, after }: StepRow): void {
    for (const path of PATHS[table])
      if (!same(before?.[path], after?.[path]))
        for (const { draft, value } of this.#row(table, key).cells[path] ?? [])
          this.lost.push({ draft, table, key, path, mine: value, theirs: after?.[path], taken: false })
  }

  /** A change of what is committed, below every draft. */
  remote(step: readonly StepRow[]): Verdict {
    for (const { table, key, before, after } of step) {
      const row = this.#row(table, key)
      if (row.exists || row.traces.length > 0) return skip('a remote change of a row that a draft inserts or deletes')
      if ((before === undefined || after === undefined) && this.heldByOthers(table, key, OUTSIDE))
        return skip('a remote delete of a row that a draft edits')
      this.#underneath({ table, key, before, after })
      row.base = after && { ...after }
    }
    return this.#everyCancelWorks() ? OK : skip('a remote change that collides')
  }
}

function subsets(of: readonly number[]): number[][] {
  return of.reduce<number[][]>((all, id) => [...all, ...all.map((set) => [...set, id])], [[]])
}

export function stored(cells: PlainCells): PlainCells {
  return Object.fromEntries(Object.entries(cells).filter(([, value]) => value !== undefined))
}

function sorted(cells: PlainCells | undefined): unknown {
  return (
    cells &&
    Object.entries(cells)
      .filter(([, value]) => value !== undefined)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
  )
}

/** Which constraint a state breaks. */
export function breach(state: State): 'unique' | 'reference' | undefined {
  const taken = new Set<string>()
  let dangling = false
  for (const cells of state.item.values()) {
    const values = [
      ...(cells['slug'] === undefined ? [] : [`slug ${String(cells['slug'])}`]),
      ...(cells['x'] === undefined || cells['y'] === undefined
        ? []
        : [`xy ${String(cells['x'])} ${String(cells['y'])}`]),
    ]
    for (const value of values) {
      if (taken.has(value)) return 'unique'
      taken.add(value)
    }
    for (const path of ['a', 'b', 'c']) {
      const layer = cells[path]
      if (layer !== undefined && !state.layer.has(String(layer))) dangling = true
    }
  }
  return dangling ? 'reference' : undefined
}

/** What differs between two states, row by row. */
export function diffStates(before: State, after: State): StepRow[] {
  return TABLES.flatMap((table) =>
    [...new Set([...before[table].keys(), ...after[table].keys()])].flatMap((key) => {
      const row = { table, key, before: before[table].get(key), after: after[table].get(key) }
      return same(sorted(row.before), sorted(row.after)) ? [] : [row]
    }),
  )
}
