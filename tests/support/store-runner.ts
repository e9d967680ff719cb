import {
  ConstraintError,
  createStore,
  invert,
  squash,
  type ChangeSet,
  type Conflict,
  type RowChange,
  type SkippedStep,
  type SqliteDriverFactory,
} from 'rowcast'
import { internals } from '../../src/store/index.ts'
import { LAYERS, ITEMS } from './random-steps.ts'
import {
  DEFAULTS,
  diffStates,
  modelSchema,
  OUTSIDE,
  PATHS,
  rowOf,
  same,
  sqlRowOf,
  StoreModel,
  stored,
  TABLES,
  type PlainCells,
  type State,
  type StepRow,
  type TableId,
} from './store-model.ts'
import {
  expectFailure,
  planStep,
  toRowChange,
  type LooseDraft,
  type LooseWorkspace,
  type Step,
  type Target,
} from './store-steps.ts'

/** The store is not what the model says. */
class Mismatch extends Error {}

function agree(what: string, actual: unknown, expected: unknown): void {
  const show = (value: unknown): string =>
    JSON.stringify(value, (_key, member: unknown) => (member === undefined ? '∅' : member)) ?? 'undefined'
  if (show(canonical(actual)) !== show(canonical(expected)))
    throw new Mismatch(`${what}\n  is       ${show(actual)}\n  must be  ${show(expected)}`)
}

/** With members in the order of their names: their order means nothing. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, member]) => [name, canonical(member)]),
  )
}

const rowsOf = (state: State, table: TableId): object[] =>
  [...state[table]].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([key, cells]) => rowOf(table, key, cells))

function frozen(value: unknown): boolean {
  return typeof value !== 'object' || value === null || (Object.isFrozen(value) && Object.values(value).every(frozen))
}

/** Rows by change sets alone, the values that are defaults left out. */
class Replay {
  readonly tables: { readonly [T in TableId]: Map<string, PlainCells> } = {
    layer: new Map<string, PlainCells>(),
    item: new Map<string, PlainCells>(),
  }

  apply(set: ChangeSet): void {
    for (const change of set.changes) this.#row(change)
  }

  #row({ table, key, op, before, after }: RowChange): void {
    const rows = this.tables[table as TableId]
    const id = String(key)
    const now = rows.get(id)
    const plain = (cells: object): PlainCells =>
      stored(
        Object.fromEntries(
          Object.entries(cells)
            .filter(([path]) => path !== 'id')
            .map(([path, value]) => [path, same(value, DEFAULTS[path]) ? undefined : value]),
        ) as PlainCells,
      )
    if (op === 'insert') {
      if (now) throw new Mismatch(`the stream inserts ${table} ${id}, which is there`)
      rows.set(id, plain(after))
      return
    }
    if (!now) throw new Mismatch(`the stream has an ${op} of ${table} ${id}, which isn't there`)
    if (op === 'delete') agree(`before of the delete of ${table} ${id}`, plain(before), now)
    else
      for (const [path, value] of Object.entries(before))
        agree(`before of ${table} ${id} ${path}`, value, now[path] ?? DEFAULTS[path])
    if (op === 'delete') rows.delete(id)
    else {
      const merged = Object.fromEntries(
        Object.entries({ ...now, ...(after as PlainCells) }).map(([path, value]) => [
          path,
          same(value, DEFAULTS[path]) ? undefined : value,
        ]),
      )
      rows.set(id, stored(merged))
    }
  }

  check(what: string, state: State): void {
    for (const table of TABLES)
      agree(`${what} of ${table}`, Object.fromEntries(this.tables[table]), Object.fromEntries(state[table]))
  }
}

function agreeOnChanges(what: string, set: ChangeSet | undefined, expected: readonly StepRow[]): void {
  const order = (changes: readonly RowChange[]): RowChange[] =>
    [...changes].toSorted((a, b) => (`${a.table}${String(a.key)}` < `${b.table}${String(b.key)}` ? -1 : 1))
  agree(what, order(set?.changes ?? []), order(expected.map(toRowChange)))
}

/** How a run went. */
export interface Run {
  readonly done: number
  readonly refused: number
  /** How many were refused for the sake of drafts although all of them could have been cancelled. */
  readonly cautious: number
  readonly skipped: ReadonlyMap<string, number>
}

const modelOpen = (driver: SqliteDriverFactory, data?: Uint8Array) => createStore({ schema: modelSchema, driver, data })

/**
 * Does steps to a store and to the model, and compares all that can be seen after each. Throws Mismatch. `rowBytes` is how
 * much the store keeps of rows that nobody holds.
 */
export async function runSteps(
  steps: readonly Step[],
  driver: () => SqliteDriverFactory,
  rowBytes?: number,
): Promise<Run> {
  const store = await modelOpen(driver())
  if (rowBytes !== undefined) internals(store as never).engine.rowMemory.most = rowBytes
  const loose = store as unknown as LooseWorkspace
  const model = new StoreModel()
  const drafts = new Map<number, LooseDraft>()
  const inside = internals(store as never)
  const seen: ChangeSet[] = []
  const commits: ChangeSet[] = []
  const all: ChangeSet[] = []
  const visible = new Replay()
  const committed = new Replay()
  store.changes$.subscribe((set) => {
    seen.push(set)
    all.push(set)
  })
  store.commits$.subscribe((set) => commits.push(set))
  let aside: readonly SkippedStep[] = []
  store.history.skipped$.subscribe((steps) => (aside = steps))
  const watches = watchItems(loose)
  const target: Target = {
    store: loose,
    drafts,
    undo: () => store.history.undo(),
    redo: () => store.history.redo(),
    remote: (set) => {
      inside.applyRemote(set)
      committed.apply(set)
    },
  }
  const skipped = new Map<string, number>()
  /** What was committed of a cell before it was first changed below a draft, by draft. */
  const sinces = new Map<number, Map<string, unknown>>()
  let done = 0
  let refused = 0
  let cautious = 0
  for (const [n, step] of steps.entries()) {
    const who = 'who' in step && 'write' in step ? step.who : OUTSIDE
    if (who !== OUTSIDE && !model.open.includes(who)) {
      drafts.set(who, store.draft() as unknown as LooseDraft)
      model.open = [...model.open, who]
    }
    let givenBack = false
    const trial = model.clone()
    const { verdict, run } = planStep(trial, step)
    if (verdict.is === 'skip') {
      skipped.set(verdict.why, (skipped.get(verdict.why) ?? 0) + 1)
      continue
    }
    const before = model.state()
    const beforeCommitted = model.committed
    const objects = TABLES.map(
      (table) =>
        new Map(
          loose
            .table(table)
            .keys()
            .map((key) => [key, loose.table(table).get(key)]),
        ),
    )
    if (verdict.is === 'fail') {
      refused++
      expectFailure(
        verdict,
        () => run(target),
        [...drafts.values()].map((draft) => draft.id),
      )
    } else {
      try {
        run(target)
        if (aside.length > trial.skipped) {
          // More cautious than need be for the sake of a draft: with the drafts gone the step is back in its place.
          cautious++
          givenBack = true
          const reason = aside.at(-1)?.reason
          if (!(reason instanceof ConstraintError && [...drafts.values()].some(({ id }) => id === reason.draftId)))
            throw new Mismatch(`a step was set aside: ${String(reason)}`)
          for (const id of model.open) {
            drafts.get(id)!.cancel()
            model.cancel(id)
            watches.step(model.state())
          }
        } else model.become(trial)
      } catch (error) {
        // A refusal that names a draft may be more cautious than need be; it must have changed nothing.
        if (!(error instanceof ConstraintError) || error.draftId === undefined) throw error
        cautious++
      }
    }
    done++
    // What is visible, by every way of reading it.
    const state = model.state()
    for (const [t, table] of TABLES.entries()) {
      const rows = rowsOf(state, table)
      agree(`all() of ${table}`, loose.table(table).all(), rows)
      agree(`keys() of ${table}`, loose.table(table).keys(), [...state[table].keys()])
      for (const key of table === 'item' ? ITEMS : LAYERS) {
        const cells = state[table].get(key)
        const row = loose.table(table).get(key)
        agree(`get(${key})`, row, cells && rowOf(table, key, cells))
        if (!frozen(row)) throw new Mismatch(`get(${key}) is not deep-frozen`)
        const old = objects[t]!.get(key)
        // Within a transaction it may have been another row for a while; so it is with REPLACE.
        if (
          old !== undefined &&
          row !== undefined &&
          !('write' in step && ['transaction', 'sql replace'].includes(step.write.do))
        )
          checkIdentity(key, old, row)
      }
      const columns = ['id', ...PATHS[table].map((path) => path.replace('.', '_'))].join(', ')
      agree(
        `SQL on ${table}`,
        loose.query({ sql: `select ${columns} from ${table} order by id` }),
        [...state[table]].map(([key, cells]) => sqlRowOf(table, key, cells)),
      )
    }
    // What was told.
    const change = diffStates(before, state)
    // The drafts were cancelled to give a step back.
    if (givenBack && seen.length > 1) seen.splice(0, seen.length, { ...squash(seen), origin: 'cancel' })
    if (seen.length > (change.length > 0 ? 1 : 0))
      throw new Mismatch(`changes$ gave ${seen.length} sets for ${change.length} changed rows: ${JSON.stringify(seen)}`)
    agreeOnChanges('changes$', seen[0], change)
    if (seen[0]) {
      const origin =
        'remote' in step
          ? 'remote'
          : 'history' in step && !givenBack
            ? step.history
            : givenBack || ('end' in step && step.end === 'cancel')
              ? 'cancel'
              : 'local'
      agree('origin', seen[0].origin, origin)
      visible.apply(seen[0])
    }
    visible.check('changes$ replayed', state)
    const commit = 'remote' in step ? [] : diffStates(beforeCommitted, model.committed)
    if (commits.length > (commit.length > 0 ? 1 : 0))
      throw new Mismatch(
        `commits$ gave ${commits.length} sets for ${commit.length} committed rows: ${JSON.stringify(commits)}`,
      )
    agreeOnChanges('commits$', commits[0], commit)
    if (commits[0]) committed.apply(commits[0])
    committed.check('commits$ replayed', model.committed)
    if ('write' in step && step.who === OUTSIDE && commit.length > 0) model.record(commit)
    seen.length = 0
    commits.length = 0
    // Drafts.
    for (const id of model.open) {
      const draft = drafts.get(id)!
      const net = model.net(id)
      agreeOnChanges(`changes() of draft ${id}`, draft.changes(), net)
      agree(`isDirty of draft ${id}`, draft.isDirty, net.length > 0)
    }
    for (const id of Array.from(drafts.keys())) if (!model.open.includes(id) && drafts.delete(id)) sinces.delete(id)
    // A cell that one transaction writes twice is lost to the last of them.
    const { committed: confirmed } = model
    for (const lost of model.lost.map((one) => ({ ...one, theirs: confirmed[one.table].get(one.key)?.[one.path] }))) {
      if (!drafts.has(lost.draft)) continue
      const place = `${lost.table} ${lost.key} ${lost.path}`
      const since = sinces.get(lost.draft) ?? new Map<string, unknown>()
      sinces.set(lost.draft, since)
      if (!since.has(place)) since.set(place, beforeCommitted[lost.table].get(lost.key)?.[lost.path])
      // Mine equals theirs, or what lies below a cell that the draft has is back at what it was when it was first written.
      const isSettled = same(lost.mine, lost.theirs) || (!lost.taken && same(since.get(place), lost.theirs))
      let listed: readonly Conflict[] = []
      drafts
        .get(lost.draft)!
        .conflicts$.subscribe((conflicts) => (listed = conflicts as readonly Conflict[]))
        .unsubscribe()
      const value = (of: unknown): unknown => of ?? DEFAULTS[lost.path]
      const found = listed.find(({ table, key, path }) => same([table, key, path], [lost.table, lost.key, lost.path]))
      const isRight = found && same([value(found.mine), value(found.theirs)], [value(lost.mine), value(lost.theirs)])
      if (isSettled ? found : !isRight) {
        throw new Mismatch(
          `conflicts$ of draft ${lost.draft} must ${isSettled ? 'not ' : ''}list ${JSON.stringify(lost)}, has ${JSON.stringify(listed)}`,
        )
      }
    }
    watches.step(state)
    agree('canUndo', store.history.canUndo, model.done.length > 0)
    agree('canRedo', store.history.canRedo, model.undone.length > 0)
    agree('skipped$', aside.length, model.skipped)
    if (n % 20 === 19 || n === steps.length - 1) {
      const reopened = await modelOpen(driver(), store.export())
      for (const table of TABLES)
        agree(`export of ${table}`, reopened.table(table).all(), rowsOf(model.committed, table))
      await reopened.close()
    }
  }
  watches.check()
  checkInverse(all, visible)
  await store.close()
  return { done, refused, cautious, skipped }
}

function checkIdentity(key: string, old: object, row: object): void {
  if (same(canonical(old), canonical(row))) {
    if (old !== row) throw new Mismatch(`${key} has not changed, but is another object`)
    return
  }
  for (const part of ['text', 'points'] as const) {
    const [a, b] = [(old as { [name: string]: unknown })[part], (row as { [name: string]: unknown })[part]]
    if (a !== undefined && same(a, b) && a !== b)
      throw new Mismatch(`${part} of ${key} has not changed, but is another object`)
  }
}

/** All of it backwards leads to the empty database; squashed, it leads to the same as step by step. */
function checkInverse(all: readonly ChangeSet[], visible: Replay): void {
  const at = { layer: new Map(visible.tables.layer), item: new Map(visible.tables.item) }
  const net = new Replay()
  net.apply(squash(all))
  net.check('squash(changes$) replayed', at)
  for (const set of [...all].toReversed()) visible.apply(invert(set))
  visible.check('changes$ inverted', { layer: new Map(), item: new Map() })
}

interface Watches {
  step(state: State): void
  check(): void
}

function watchItems(loose: LooseWorkspace): Watches {
  const paths = ['rank', 'text.size', 'text', 'slug', 'points']
  const watched = ITEMS.flatMap((key) => {
    const read =
      (path: string | undefined) =>
      (state: State): unknown => {
        const cells = state.item.get(key)
        if (!cells) return undefined
        const row = rowOf('item', key, cells) as { text: { size: number } } & { [name: string]: unknown }
        return path === undefined ? row : path === 'text.size' ? row.text.size : row[path]
      }
    return [undefined, ...paths].map((path) => {
      const got: unknown[] = []
      const stream = path === undefined ? loose.table('item').row$(key) : loose.table('item').field$(key, path)
      stream.subscribe((value) => got.push(value))
      return { what: `${key} ${path ?? 'row$'}`, got, must: [undefined] as unknown[], read: read(path) }
    })
  })
  return {
    step: (state) => {
      for (const each of watched) {
        const value = each.read(state)
        if (!same(canonical(value), canonical(each.must.at(-1)))) each.must.push(value)
      }
    },
    check: () => {
      for (const { what, got, must } of watched) agree(`what the subscriber of ${what} got`, got, must)
    },
  }
}
