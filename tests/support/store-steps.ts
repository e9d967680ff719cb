import {
  ConstraintError,
  NotFoundError,
  sql,
  ValidationError,
  type ChangeSet,
  type CellPlace,
  type Commit,
  type Conflict,
  type RowChange,
  type SqlQuery,
} from 'rowcast'
import type { Observable } from 'rxjs'
import {
  DEFAULTS,
  OK,
  OUTSIDE,
  PATHS,
  breach,
  same,
  stored,
  type PlainCells,
  type State,
  type StepRow,
  type StoreModel,
  type TableId,
  type Value,
  type Verdict,
} from './store-model.ts'

/** The API with the types that a generator of random calls can meet. */
export interface LooseTable {
  get(key: string): object | undefined
  all(): object[]
  keys(): string[]
  insert(row: object): string
  upsert(row: object): string
  update(
    key: string,
    change: object | ((row: { [name: string]: unknown; text: { [name: string]: unknown } }) => void),
  ): void
  updateMany(where: object, change: object): number
  set(key: string, path: string, value: unknown): void
  reset(key: string, path: string): void
  delete(key: string): number
  row$(key: string): Observable<object | undefined>
  field$(key: string, path: string): Observable<unknown>
}

export interface LooseWorkspace {
  table(name: string): LooseTable
  query(query: SqlQuery): object[]
  exec(query: SqlQuery): { readonly changes: number }
  transaction<Result>(fn: () => Result): Result
}

export interface LooseDraft extends LooseWorkspace {
  readonly id: string
  readonly isDirty: boolean
  changes(): ChangeSet
  commit(): Commit
  cancel(): void
  readonly conflicts$: Observable<readonly Conflict[]>
  keep(cell: CellPlace): void
}

/** What the steps are run on. */
export interface Target {
  readonly store: LooseWorkspace
  /** By the model's number. */
  readonly drafts: ReadonlyMap<number, LooseDraft>
  readonly undo: () => unknown
  readonly redo: () => unknown
  readonly remote: (set: ChangeSet) => void
}

/** One write of a draft (1 to 3) or of nobody's (0). */
export type Write =
  | { readonly do: 'insert'; readonly table: TableId; readonly key: string; readonly cells: PlainCells }
  | { readonly do: 'set'; readonly table: TableId; readonly key: string; readonly path: string; readonly value: Value }
  | { readonly do: 'reset'; readonly table: TableId; readonly key: string; readonly path: string }
  | { readonly do: 'update' | 'recipe' | 'upsert'; readonly key: string; readonly cells: PlainCells }
  | { readonly do: 'updateMany'; readonly rank: number; readonly cells: PlainCells }
  | { readonly do: 'delete'; readonly table: TableId; readonly key: string }
  | { readonly do: 'invalid'; readonly raw: boolean; readonly key: string }
  | { readonly do: 'sql insert' | 'sql update' | 'sql replace'; readonly key: string; readonly cells: PlainCells }
  | { readonly do: 'sql insert select' | 'sql key'; readonly key: string; readonly from: string }
  | { readonly do: 'sql update all' | 'sql delete all' | 'sql cte'; readonly rank: number }
  | { readonly do: 'sql update from' }
  | { readonly do: 'sql delete layer'; readonly key: string }
  | { readonly do: 'transaction'; readonly writes: readonly Write[]; readonly throws: boolean }

export type Step =
  | { readonly who: number; readonly write: Write }
  | { readonly who: number; readonly end: 'commit' | 'cancel' }
  | { readonly history: 'undo' | 'redo' }
  | {
      readonly remote: {
        readonly table: TableId
        readonly key: string
        readonly cells: PlainCells
        readonly remove: boolean
      }
    }

/** What a step must come to, and how it is done. */
export interface Plan {
  readonly verdict: Verdict
  readonly run: (target: Target) => unknown
}

class Deliberate extends Error {}

/** Does a step to the model, and says how to do it to the store. The model is left in disorder unless the verdict is ok. */
export function planStep(model: StoreModel, step: Step): Plan {
  model.lost = []
  if ('write' in step) {
    const { who } = step
    const plan = planWrite(model, who, step.write, false)
    const before = model.committed
    return {
      verdict: plan.verdict,
      run: (target) => plan.run(who === OUTSIDE ? target.store : target.drafts.get(who)!, before),
    }
  }
  if ('end' in step) {
    const { who, end } = step
    if (!model.open.includes(who)) return { verdict: { is: 'skip', why: 'no such draft' }, run: () => undefined }
    return { verdict: model[end](who), run: (target) => target.drafts.get(who)![end]() }
  }
  if ('history' in step) return { verdict: model[step.history](), run: (target) => target[step.history]() }
  return planRemote(model, step.remote)
}

interface WritePlan {
  readonly verdict: Verdict
  readonly run: (on: LooseWorkspace, before?: unknown) => unknown
}

function planWrite(model: StoreModel, who: number, write: Write, within: boolean): WritePlan {
  if (write.do === 'transaction') return planTransaction(model, who, write)
  let verdict = applyWrite(model, who, write)
  // Of several cells, another may break a constraint that names no draft.
  if (verdict.is === 'fail' && ('cells' in write || (write.do === 'set' && write.path !== 'rank')))
    verdict = { ...verdict, draft: false }
  const run = (on: LooseWorkspace): unknown => runWrite(on, write)
  if (verdict.is !== 'ok')
    return {
      verdict:
        within && verdict.is === 'fail' && verdict.deferred ? { is: 'skip', why: 'when a check is made' } : verdict,
      run,
    }
  const judged = model.judge(who, /delete|replace|key|upsert/.test(write.do))
  if (within && judged.is === 'fail' && judged.deferred)
    return { verdict: { is: 'skip', why: 'when a check is made' }, run }
  return { verdict: judged, run }
}

function planTransaction(model: StoreModel, who: number, write: Write & { do: 'transaction' }): WritePlan {
  const before = model.clone()
  const runs: ((on: LooseWorkspace) => void)[] = []
  for (const each of write.writes) {
    const trial = model.clone()
    const plan = planWrite(trial, who, each, true)
    if (plan.verdict.is === 'ok') {
      model.become(trial)
      runs.push(plan.run)
    } else if (plan.verdict.is === 'fail') {
      const { verdict } = plan
      runs.push((on) => expectFailure(verdict, () => plan.run(on)))
    }
  }
  if (write.throws) model.become(before)
  return {
    verdict: model.cameBack(before, who)
      ? { is: 'skip', why: 'a cell that a draft writes and brings back in one transaction' }
      : OK,
    run: (on) => {
      try {
        on.transaction(() => {
          for (const run of runs) run(on)
          if (write.throws) throw new Deliberate()
        })
      } catch (error) {
        if (!(error instanceof Deliberate)) throw error
      }
    },
  }
}

/** Runs what must be refused, and complains where it isn't, or not as it should be. */
export function expectFailure(
  verdict: Verdict & { is: 'fail' },
  run: () => unknown,
  draftIds?: readonly string[],
): void {
  let thrown: unknown
  try {
    run()
  } catch (error) {
    thrown = error
  }
  const right =
    (verdict.error === 'constraint' && thrown instanceof ConstraintError) ||
    (verdict.error === 'not-found' && thrown instanceof NotFoundError) ||
    (verdict.error === 'validation' && thrown instanceof ValidationError)
  if (!right)
    throw new Error(
      `expected a ${verdict.error} error, got ${thrown instanceof Error ? `${thrown.name} ${thrown.message}` : 'none'}`,
      { cause: thrown },
    )
  if (verdict.draft && draftIds && thrown instanceof ConstraintError && !draftIds.includes(String(thrown.draftId))) {
    throw new Error(`expected the ConstraintError to name a draft: ${thrown.message}`, { cause: thrown })
  }
}

function all(verdicts: readonly Verdict[]): Verdict {
  return verdicts.find((verdict) => verdict.is === 'skip') ?? verdicts.find((verdict) => verdict.is === 'fail') ?? OK
}

/** A value of a row, absent for what is a default. */
function normal(cells: PlainCells): PlainCells {
  return Object.fromEntries(
    Object.entries(cells).map(([path, value]) => [path, same(value, DEFAULTS[path]) ? undefined : value]),
  )
}

function applyWrite(model: StoreModel, who: number, write: Exclude<Write, { do: 'transaction' }>): Verdict {
  const state = model.state()
  const writeAll = (table: TableId, key: string, cells: PlainCells, mode: 'api' | 'sql'): Verdict =>
    all(Object.entries(normal(cells)).map(([path, value]) => model.write(who, table, key, path, value, mode)))
  const where = (test: (cells: PlainCells) => boolean): string[] =>
    [...state.item].filter(([, cells]) => test(cells)).map(([key]) => key)
  switch (write.do) {
    case 'insert':
    case 'sql insert':
      return model.insert(who, write.do === 'insert' ? write.table : 'item', write.key, stored(normal(write.cells)))
    case 'set':
      return writeAll(write.table, write.key, { [write.path]: write.value }, 'api')
    case 'reset':
      return writeAll(write.table, write.key, { [write.path]: undefined }, 'api')
    case 'update':
      return state.item.has(write.key)
        ? writeAll('item', write.key, write.cells, 'api')
        : { is: 'fail', error: 'not-found' }
    case 'recipe':
      // A recipe that assigns the value that is there anyway changes nothing.
      return state.item.has(write.key)
        ? Object.values(model.rows.item.get(write.key)!.cells).some((entries) => entries.length > 0) &&
          Object.entries(normal(write.cells)).some(([path, value]) => same(state.item.get(write.key)?.[path], value))
          ? { is: 'skip', why: 'a recipe that assigns the same to a covered cell' }
          : writeAll('item', write.key, write.cells, 'sql')
        : { is: 'fail', error: 'not-found' }
    case 'upsert': {
      if (!state.item.has(write.key)) return model.insert(who, 'item', write.key, stored(normal(write.cells)))
      if (model.heldByOthers('item', write.key, who))
        return { is: 'skip', why: 'an upsert of a row that another draft edits' }
      const every = Object.fromEntries(PATHS.item.map((path) => [path, write.cells[path]]))
      return writeAll('item', write.key, every, 'api')
    }
    case 'updateMany':
      return all(
        where((cells) => (cells['rank'] ?? 0) === write.rank).map((key) => writeAll('item', key, write.cells, 'api')),
      )
    case 'delete':
      return model.delete(who, write.table, write.key)
    case 'sql delete layer':
      return model.delete(who, 'layer', write.key)
    case 'invalid':
      if (state.item.has(write.key)) return { is: 'fail', error: 'validation', ...(write.raw && { deferred: true }) }
      return write.raw ? OK : { is: 'fail', error: 'not-found' }
    case 'sql update':
      return state.item.has(write.key) ? writeAll('item', write.key, write.cells, 'sql') : OK
    case 'sql replace': {
      const cells = stored(normal(write.cells))
      const old = model.rows.item.get(write.key)
      if (state.item.has(write.key)) {
        if (model.heldByOthers('item', write.key, who) || (who !== OUTSIDE && old?.base))
          return { is: 'skip', why: 'a REPLACE in a draft' }
        const gone = model.delete(who, 'item', write.key)
        if (gone.is !== 'ok') return gone
      }
      const collides = where(
        (other) =>
          breach({
            layer: new Map(),
            item: new Map([
              ['new', unique(cells)],
              ['old', unique(other)],
            ]),
          }) === 'unique',
      )
      const gone = all(collides.filter((key) => key !== write.key).map((key) => model.delete(who, 'item', key)))
      return gone.is === 'ok' ? model.insert(who, 'item', write.key, cells) : gone
    }
    case 'sql insert select': {
      const from = state.item.get(write.from)
      return from
        ? model.insert(
            who,
            'item',
            write.key,
            stored({ rank: from['rank'], 'text.note': from['text.note'], b: from['b'] }),
          )
        : OK
    }
    case 'sql key': {
      const from = state.item.get(write.from)
      if (!from || write.from === write.key) return OK
      if (model.heldByOthers('item', write.from, who))
        return { is: 'skip', why: 'another key for a row that another draft edits' }
      if (state.item.has(write.key)) return { is: 'fail', error: 'constraint' }
      const gone = model.delete(who, 'item', write.from)
      return gone.is === 'ok' ? model.insert(who, 'item', write.key, from) : gone
    }
    case 'sql update all':
      return all(
        where((cells) => (cells['rank'] ?? 0) === write.rank).map((key) =>
          writeAll('item', key, { rank: write.rank + 1 }, 'sql'),
        ),
      )
    case 'sql delete all':
      return all(where((cells) => (cells['rank'] ?? 0) === write.rank).map((key) => model.delete(who, 'item', key)))
    case 'sql cte':
      return all(
        where((cells) => Number(cells['rank'] ?? 0) > write.rank).map((key) =>
          writeAll('item', key, { 'text.size': write.rank + 12 }, 'sql'),
        ),
      )
    case 'sql update from':
      return all(
        where((cells) => cells['a'] !== undefined).map((key) => {
          const layer = state.layer.get(String(state.item.get(key)!['a']))
          return layer ? writeAll('item', key, { 'text.note': layer['name'] ?? 'new' }, 'sql') : OK
        }),
      )
  }
}

function unique(cells: PlainCells): PlainCells {
  return stored({ slug: cells['slug'], x: cells['x'], y: cells['y'] })
}

/** Cells by path as a nested object. */
function nested(cells: PlainCells): { [name: string]: unknown } {
  const object: { [name: string]: unknown } = {}
  for (const [path, value] of Object.entries(cells)) {
    const [head = '', leaf] = path.split('.')
    if (leaf === undefined) object[head] = value
    else object[head] = { ...(object[head] as object | undefined), [leaf]: value }
  }
  return object
}

const column = (path: string): string => path.replace('.', '_')
const bound = (value: Value): unknown => (Array.isArray(value) ? JSON.stringify(value) : (value ?? null))

function insertSql(verb: 'insert' | 'replace', key: string, cells: PlainCells): SqlQuery {
  const names = ['id', ...Object.keys(cells).map(column)]
  return {
    sql: `${verb} into item (${names.join(', ')}) values (${names.map(() => '?').join(', ')})`,
    parameters: [key, ...Object.values(cells).map(bound)],
  }
}

function runWrite(on: LooseWorkspace, write: Exclude<Write, { do: 'transaction' }>): unknown {
  const items = on.table('item')
  switch (write.do) {
    case 'insert':
      return on.table(write.table).insert({ ...nested(write.cells), id: write.key })
    case 'set':
      return on.table(write.table).set(write.key, write.path, write.value)
    case 'reset':
      return on.table(write.table).reset(write.key, write.path)
    case 'update':
      return items.update(write.key, nested(write.cells))
    case 'recipe':
      return items.update(write.key, (row) => {
        for (const [path, value] of Object.entries(write.cells)) {
          const [head = '', leaf] = path.split('.')
          const object = leaf === undefined ? row : row.text
          if (value === undefined) delete object[leaf ?? head]
          else object[leaf ?? head] = value
        }
      })
    case 'upsert':
      return items.upsert({ ...nested(write.cells), id: write.key })
    case 'updateMany':
      return items.updateMany({ rank: write.rank }, nested(write.cells))
    case 'delete':
      return on.table(write.table).delete(write.key)
    case 'invalid':
      return write.raw
        ? on.exec(sql`update item set rank = -1 where id = ${write.key}`)
        : items.set(write.key, 'rank', -1)
    case 'sql insert':
      return on.exec(insertSql('insert', write.key, write.cells))
    case 'sql replace':
      return on.exec(insertSql('replace', write.key, write.cells))
    case 'sql update': {
      const sets = Object.keys(write.cells).map((path) => `${column(path)} = ?`)
      return on.exec({
        sql: `update item set ${sets.join(', ')} where id = ?`,
        parameters: [...Object.values(write.cells).map(bound), write.key],
      })
    }
    case 'sql insert select':
      return on.exec(
        sql`insert into item (id, rank, text_note, b) select ${write.key}, rank, text_note, b from item where id = ${write.from}`,
      )
    case 'sql key':
      return on.exec(sql`update item set id = ${write.key} where id = ${write.from}`)
    case 'sql update all':
      return on.exec(sql`update item set rank = rank + 1 where rank = ${write.rank}`)
    case 'sql delete all':
      return on.exec(sql`delete from item where id in (select id from item where rank = ${write.rank})`)
    case 'sql cte':
      return on.exec(
        sql`with t as (select id from item where rank > ${write.rank}) update item set text_size = ${write.rank + 12} where id in (select id from t)`,
      )
    case 'sql update from':
      return on.exec(sql`update item set text_note = l.name from layer as l where l.id = item.a`)
    case 'sql delete layer':
      return on.exec(sql`delete from layer where id = ${write.key}`)
  }
}

function planRemote(
  model: StoreModel,
  { table, key, cells, remove }: Extract<Step, { readonly remote: unknown }>['remote'],
): Plan {
  const steps = remoteRows(model.committed, table, key, cells, remove)
  const changes = steps.map(toRowChange)
  return {
    verdict: steps.length === 0 ? { is: 'skip', why: 'a remote change of nothing' } : model.remote(steps),
    run: (target) => target.remote({ changes, origin: 'remote' }),
  }
}

/** What a server would send: with what its cascades did, references released first. */
function remoteRows(committed: State, table: TableId, key: string, cells: PlainCells, remove: boolean): StepRow[] {
  const before = committed[table].get(key)
  if (!before) return remove ? [] : [{ table, key, before, after: stored(normal(cells)) }]
  if (!remove) {
    const after = stored({ ...before, ...normal(cells) })
    return same(stored(before), after) ? [] : [{ table, key, before, after }]
  }
  if (table === 'item') return [{ table, key, before, after: undefined }]
  const touched = [...committed.item].filter(([, item]) => [item['a'], item['b'], item['c']].includes(key))
  if (touched.some(([, item]) => item['c'] === key)) return []
  const others = touched.map(([id, item]): StepRow => {
    const { b: _, ...rest } = item
    return { table: 'item', key: id, before: item, after: item['a'] === key ? undefined : rest }
  })
  return [...others, { table, key, before, after: undefined }]
}

/** A step of the model as a ChangeSet has it. */
export function toRowChange({ table, key, before, after }: StepRow): RowChange {
  if (!before) return { table, key, op: 'insert', before: {}, after: { id: key, ...stored(after!) } }
  if (!after) return { table, key, op: 'delete', before: { id: key, ...stored(before) }, after: {} }
  const paths = PATHS[table].filter((path) => !same(before[path], after[path]))
  const side = (cells: PlainCells): PlainCells =>
    Object.fromEntries(paths.map((path) => [path, cells[path] ?? DEFAULTS[path]]))
  return { table, key, op: 'update', before: side(before), after: side(after) }
}
