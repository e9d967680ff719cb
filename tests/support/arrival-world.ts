import { createStore, defineSchema, RowcastError, type ChangeSet, type Conflict } from 'rowcast'
import { keyId, rowIdOf, type Key, type RowChange } from '../../src/changes/index.ts'
import {
  commitChanges,
  internals,
  PendingLayer,
  PendingLayers,
  type Arrival,
  type Store,
} from '../../src/store/index.ts'
import { committedRow } from '../../src/store/layers/committed-rows.ts'
import { valueOfCell } from '../../src/store/rows/cells.ts'
import { toWire } from '../../src/transport/sync/wire.ts'
import { Random } from './random.ts'

/**
 * Constraints of every kind: unique, over several columns, with a default, references that go, are cleared, hold and are
 * required, and a rule over a whole row.
 */
const crowdedSchema = defineSchema({
  version: 1,
  tables: {
    layer: {
      primaryKey: 'id',
      unique: [['name']],
      schema: {
        type: 'object',
        required: ['id'],
        properties: { id: { type: 'string' }, name: { type: 'string' } },
      },
    },
    item: {
      primaryKey: 'id',
      unique: [['slug'], ['board', 'place']],
      references: {
        layerId: { table: 'layer', onDelete: 'cascade' },
        backId: { table: 'layer', onDelete: 'setNull' },
        homeId: { table: 'layer', onDelete: 'restrict' },
      },
      schema: {
        type: 'object',
        required: ['id', 'board'],
        properties: {
          id: { type: 'integer' },
          board: { type: 'string' },
          place: { type: 'integer', default: 0 },
          slug: { type: 'string' },
          size: { type: 'integer' },
          layerId: { type: 'string' },
          backId: { type: 'string' },
          homeId: { type: 'string' },
          from: { type: 'integer' },
          to: { type: 'integer' },
        },
        dependentRequired: { from: ['to'] },
      },
    },
    pin: {
      primaryKey: 'id',
      references: { layerId: { table: 'layer', onDelete: 'cascade' } },
      schema: {
        type: 'object',
        required: ['id', 'layerId'],
        properties: { id: { type: 'integer' }, layerId: { type: 'string' }, size: { type: 'integer' } },
      },
    },
  },
})

export type CrowdedStore = Awaited<ReturnType<typeof openCrowded>>
type CrowdedDraft = ReturnType<CrowdedStore['draft']>
type Rows = Readonly<Record<'layer' | 'item' | 'pin', readonly Readonly<Record<string, unknown>>[]>>

function openCrowded() {
  return createStore({ schema: crowdedSchema })
}

/** What a client has committed, and the server has not answered. */
interface Sent {
  readonly id: string
  readonly layer: PendingLayer
  readonly changes: ReturnType<typeof toWire>
  readonly requires: readonly string[]
}

/** What the server says, in its order, and its rows at that moment. */
interface Word {
  readonly changes?: readonly Arrival[]
  /** The client's transaction that it confirms, or without changes refuses. */
  readonly answers?: Sent
  readonly rows: Rows
}

/** The errors that a user may cause. */
const USERS_OWN = new Set(['constraint', 'validation', 'not-found', 'transaction'])

/**
 * A server, whose rows always satisfy the schema, and a client with drafts and pending transactions, which hears of it a
 * while later.
 */
export class ArrivalWorld {
  readonly random: Random
  readonly server: CrowdedStore
  readonly store: CrowdedStore
  readonly layers: PendingLayers
  /** The rows of the server as far as the client has heard. */
  heard: Rows
  readonly #words: Word[] = []
  readonly #unsent: Sent[] = []
  readonly #waiting: Sent[] = []
  readonly #refused = new Set<string>()
  #drafts: CrowdedDraft[] = []
  #next = 0

  static async open(seed: number): Promise<ArrivalWorld> {
    return new ArrivalWorld(seed, await openCrowded(), await openCrowded())
  }

  private constructor(seed: number, server: CrowdedStore, store: CrowdedStore) {
    this.random = new Random(seed)
    this.server = server
    this.store = store
    this.heard = rowsOf(server)
    const { engine } = internals(store as unknown as Store)
    const layers = new PendingLayers(engine)
    this.layers = layers
    engine.sync = {
      get pending() {
        return layers.size > 0
      },
      covers: (rows, id) => layers.covers(rows, id),
      committed: (set: ChangeSet, meant: readonly RowChange[]) => {
        const id = `t${this.#next++}`
        const layer = new PendingLayer(id, set.label)
        layers.add(layer, set.changes, meant)
        const changes = toWire(set.changes, meant, false)
        const sent = { id, layer, changes, requires: this.#requiredBy(changes) }
        this.#unsent.push(sent)
        this.#waiting.push(sent)
        return Promise.resolve()
      },
    }
  }

  /** Whether nothing of the client's own lies over what it has heard. */
  get isAtRest(): boolean {
    return this.#drafts.length === 0 && this.#waiting.length === 0
  }

  get waiting(): readonly PendingLayer[] {
    return this.#waiting.map(({ layer }) => layer)
  }

  /** Does something, and says what. */
  step(): string {
    const what = this.random.int(100)
    if (what < 22) return `others ${this.#byOthers()}`
    if (what < 44) return `mine ${this.#tryTo(() => this.#act(this.store))}`
    if (what < 54) return this.#decideNext()
    if (what < 72) return this.#hear()
    return this.#withDraft()
  }

  /** Everything of the client's own is taken back. */
  end(): void {
    for (const draft of this.#drafts) draft.cancel()
    this.#drafts = []
    for (const { layer } of this.#waiting.toReversed()) this.layers.remove(layer)
    this.#waiting.length = 0
  }

  async close(): Promise<void> {
    internals(this.store as unknown as Store).engine.sync = undefined
    await this.store.close()
    await this.server.close()
  }

  /** The rows that lie below everything of the client's own. */
  base(): Rows {
    const { engine } = internals(this.store as unknown as Store)
    const of = (table: string): Rows['item'] => {
      const rows = engine.table(table)
      const keys = [...this.layers.baseKeys(rows).values()]
      return inOrder(keys.map((key) => rows.schema.codec.decode(this.layers.baseOf(rows, key)!)))
    }
    return { layer: of('layer'), item: of('item'), pin: of('pin') }
  }

  /** What the drafts list as conflicts, and what lies below them. */
  conflicts(): readonly (Conflict & { readonly below: unknown })[] {
    const { engine } = internals(this.store as unknown as Store)
    return this.#drafts.flatMap((draft) => {
      let listed: readonly Conflict[] = []
      draft.conflicts$.subscribe((now) => (listed = now)).unsubscribe()
      return listed.map((conflict) => {
        const rows = engine.table(conflict.table)
        const key = conflict.key as Key
        const stack = engine.layers.get(rows, keyId(key))
        const isThere = stack ? stack.committed : rows.rowidOf(key) !== undefined
        if (conflict.path === '') return { ...conflict, below: isThere }
        if (!isThere) return { ...conflict, below: undefined }
        const stored = stack ? committedRow(stack) : rows.storedOf(key)
        const { model } = rows.schema
        const column = model.columns.find(({ path }) => path === conflict.path)!
        return { ...conflict, below: valueOfCell(model, column.index, stored[column.index]!) }
      })
    })
  }

  #byOthers(): string {
    return this.#tryTo(() => {
      let set: ChangeSet | undefined
      const listening = this.server.commits$.subscribe((one) => (set = one))
      try {
        return this.#act(this.server)
      } finally {
        listening.unsubscribe()
        if (set) this.#words.push({ changes: arrivalsOf(set.changes), rows: rowsOf(this.server) })
      }
    })
  }

  /** The server decides the next of the client's transactions. */
  #decideNext(): string {
    const sent = this.#unsent.shift()
    if (!sent) return 'nothing'
    const { engine } = internals(this.server as unknown as Store)
    try {
      if (sent.requires.some((id) => this.#refused.has(id)))
        throw new RowcastError('constraint', 'rests on a refused one')
      const changes = sent.changes.flatMap(({ table, key, op, after = {} }): RowChange[] => {
        const isThere = engine.table(table).rowidOf(key) !== undefined
        if (op === 'put' && isThere) throw new RowcastError('constraint', 'is there already')
        if (op !== 'put' && !isThere) return []
        return [{ table, key, op: op === 'put' ? 'insert' : op, before: {}, after }]
      })
      const replicated = commitChanges(engine, changes)
      this.#words.push({ changes: arrivalsOf(replicated.changes), answers: sent, rows: rowsOf(this.server) })
      return `server confirms ${sent.id} as ${JSON.stringify(arrivalsOf(replicated.changes))}`
    } catch (error) {
      if (!(error instanceof RowcastError)) throw error
      this.#refused.add(sent.id)
      this.#words.push({ answers: sent, rows: rowsOf(this.server) })
      return `server refuses ${sent.id}: ${error.message}`
    }
  }

  /** The client hears the next word. */
  #hear(): string {
    const word = this.#words.shift()
    if (!word) return 'nothing'
    const { changes, answers, rows } = word
    const before = this.#waiting.filter(({ layer }) => layer.evicted).map(({ id }) => id)
    if (changes) this.layers.arrive(changes, answers?.layer)
    else this.layers.remove(answers!.layer)
    this.heard = rows
    const evicted = this.#waiting.filter(({ id, layer }) => layer.evicted && !before.includes(id))
    if (answers) this.#waiting.splice(this.#waiting.indexOf(answers), 1)
    return `heard ${answers?.id ?? ''} ${changes ? JSON.stringify(changes) : 'refused'}, out of view: ${evicted.map(({ id }) => id).join(' ')}`
  }

  #withDraft(): string {
    const { random } = this
    const what = random.int(100)
    const draft = random.pick(this.#drafts)
    if (!draft || (this.#drafts.length < 2 && what < 15)) {
      this.#drafts.push(this.store.draft())
      return 'draft opened'
    }
    if (what < 60) return `${draft.id} ${this.#tryTo(() => this.#act(draft))}`
    if (what < 75) {
      const done = this.#tryTo(() => {
        draft.commit()
        return 'done'
      })
      if (draft.state !== 'open') this.#forget(draft)
      return `${draft.id} committed: ${done}`
    }
    if (what < 85) {
      draft.cancel()
      this.#forget(draft)
      return `${draft.id} cancelled`
    }
    let conflicts: readonly Conflict[] = []
    draft.conflicts$.subscribe((now) => (conflicts = now)).unsubscribe()
    const conflict = random.pick(conflicts)
    if (!conflict) return 'nothing'
    const isTaken = random.chance(50)
    return `${draft.id} ${isTaken ? 'takes' : 'keeps'} ${JSON.stringify(conflict)}: ${this.#tryTo(() => {
      if (isTaken) draft.take(conflict as never)
      else draft.keep(conflict as never)
      return 'done'
    })}`
  }

  #forget(draft: CrowdedDraft): void {
    this.#drafts = this.#drafts.filter((one) => one !== draft)
  }

  /** What a user does may be refused; then nothing has changed. */
  #tryTo(run: () => string): string {
    const before = JSON.stringify(rowsOf(this.store))
    try {
      return run()
    } catch (error) {
      if (!(error instanceof RowcastError) || !USERS_OWN.has(String(error.code))) throw error
      if (JSON.stringify(rowsOf(this.store)) !== before)
        throw new Error(`half done: ${error.message}`, { cause: error })
      return `refused: ${error.message}`
    }
  }

  /** One transaction: rows come and go, values are passed on, and come back. */
  #act(to: CrowdedStore | CrowdedDraft): string {
    const { random } = this
    const did: string[] = []
    const run = (): void => {
      for (let n = 1 + random.int(3); n > 0; n--) did.push(this.#write(to))
    }
    try {
      if ('transaction' in to) to.transaction(run)
      else run()
    } catch (error) {
      if (error instanceof RowcastError) error.message = `${did.join(', ')}; ${error.message}`
      throw error
    }
    return did.join(', ')
  }

  #write(to: CrowdedStore | CrowdedDraft): string {
    const { random } = this
    const layers = to.table('layer')
    const items = to.table('item')
    const what = random.int(100)
    if (what < 20) {
      const id = random.pick(['l1', 'l2', 'l3'] as const)
      if (!layers.has(id)) {
        const name = this.#maybe(() => `n${random.int(2)}`)
        layers.insert({ id, ...(name !== undefined && { name }) })
        return `insert layer ${id} ${name}`
      }
      if (random.chance(60)) {
        layers.delete(id)
        return `delete layer ${id}`
      }
      const name = `n${random.int(2)}`
      layers.set(id, 'name', name)
      return `layer ${id} name=${name}`
    }
    if (what < 32) return this.#writePin(to)
    const id = 1 + random.int(4)
    if (!items.has(id)) {
      const row = { id, board: `b${random.int(2)}`, ...this.#cells() }
      items.insert(row as never)
      return `insert item ${JSON.stringify(row)}`
    }
    if (what < 42) {
      items.delete(id)
      return `delete item ${id}`
    }
    if (what < 60) {
      const other = 1 + random.int(4)
      if (other === id || !items.has(other)) return 'nothing'
      return this.#swap(items as never, id, other)
    }
    if (what < 72) {
      const field = random.pick(['slug', 'place', 'layerId', 'backId', 'homeId', 'from', 'to'] as const)
      items.reset(id, field)
      return `reset item ${id} ${field}`
    }
    const row = { ...this.#cells(), ...(random.chance(25) && { board: `b${random.int(2)}` }) }
    items.update(id, row as never)
    return `update item ${id} ${JSON.stringify(row)}`
  }

  #writePin(to: CrowdedStore | CrowdedDraft): string {
    const { random } = this
    const pins = to.table('pin')
    const id = 1 + random.int(3)
    const layerId = `l${1 + random.int(3)}`
    const size = random.int(5)
    if (!pins.has(id)) {
      pins.insert({ id, layerId, size })
      return `insert pin ${id} ${layerId}`
    }
    if (random.chance(30)) {
      pins.delete(id)
      return `delete pin ${id}`
    }
    const row = random.chance(50) ? { layerId, size } : { size }
    pins.update(id, row)
    return `update pin ${id} ${JSON.stringify(row)}`
  }

  #swap(items: ReturnType<CrowdedStore['table']>, one: number, other: number): string {
    const table = items as unknown as {
      get(id: number): { slug?: string; place: number; board: string }
      set(id: number, path: string, value: unknown): void
      reset(id: number, path: string): void
    }
    const [a, b] = [table.get(one), table.get(other)]
    if (this.random.chance(60)) {
      if (a.slug === undefined || b.slug === undefined) return 'nothing'
      table.reset(one, 'slug')
      table.set(other, 'slug', a.slug)
      table.set(one, 'slug', b.slug)
      return `swap slugs of ${one} and ${other}`
    }
    table.set(one, 'place', 9)
    table.set(other, 'place', a.place)
    table.set(one, 'place', b.place)
    return `swap places of ${one} and ${other}`
  }

  #cells(): object {
    const { random } = this
    const layer = (): string => `l${1 + random.int(3)}`
    const cells = {
      slug: this.#maybe(() => `s${random.int(4)}`),
      place: this.#maybe(() => random.int(3)),
      size: this.#maybe(() => random.int(100)),
      from: random.chance(20) ? random.int(3) : undefined,
      to: random.chance(30) ? random.int(3) : undefined,
      layerId: random.chance(25) ? layer() : undefined,
      backId: random.chance(20) ? layer() : undefined,
      homeId: random.chance(15) ? layer() : undefined,
    }
    return Object.fromEntries(Object.entries(cells).filter(([, value]) => value !== undefined))
  }

  #maybe<Value>(draw: () => Value): Value | undefined {
    return this.random.chance(50) ? draw() : undefined
  }

  #requiredBy(changes: Sent['changes']): string[] {
    return changes.flatMap((change) => {
      if (change.op === 'put') return []
      const place = rowIdOf(change)
      const puts = this.#waiting.filter((one) => one.changes.some((c) => c.op === 'put' && rowIdOf(c) === place))
      return puts.slice(-1).map(({ id }) => id)
    })
  }
}

function arrivalsOf(changes: readonly RowChange[]): Arrival[] {
  return changes.map(({ table, key, op, after }) =>
    op === 'delete' ? { table, key, op } : { table, key, op: op === 'insert' ? 'put' : op, after },
  )
}

/** Every row, by key. */
export function rowsOf(store: Pick<CrowdedStore, 'table'>): Rows {
  return {
    layer: inOrder(store.table('layer').all()),
    item: inOrder(store.table('item').all()),
    pin: inOrder(store.table('pin').all()),
  }
}

/** By key, their fields in the order of their names. */
function inOrder(rows: readonly object[]): Rows['item'] {
  return rows
    .map((row) => Object.fromEntries(Object.entries(row).toSorted(([a], [b]) => (a < b ? -1 : 1))))
    .toSorted((a, b) => (a['id']! < b['id']! ? -1 : 1))
}

/** What the schema says against rows: values that two have, parents that are not there, and what is required. */
export function brokenIn({ layer, item, pin }: Rows): string[] {
  const broken: string[] = []
  const seen = new Map<string, unknown>()
  const only = (what: string, values: readonly unknown[], id: unknown): void => {
    if (values.some((value) => value === undefined)) return
    const tuple = JSON.stringify([what, values])
    if (seen.has(tuple)) broken.push(`${String(seen.get(tuple))} and ${String(id)} have the same ${tuple}`)
    seen.set(tuple, id)
  }
  for (const { id, name } of layer) only('name', [name], id)
  const parents = new Set(layer.map(({ id }) => id))
  for (const row of item) {
    only('slug', [row['slug']], row['id'])
    only('board, place', [row['board'], row['place']], row['id'])
    if (typeof row['board'] !== 'string') broken.push(`${String(row['id'])} has no board`)
    if (row['from'] !== undefined && row['to'] === undefined) broken.push(`${String(row['id'])} has from without to`)
    for (const field of ['layerId', 'backId', 'homeId'])
      if (row[field] !== undefined && !parents.has(row[field]))
        broken.push(`${String(row['id'])} refers by ${field} to ${String(row[field])}, which is not there`)
  }
  for (const row of pin)
    if (!parents.has(row['layerId'])) broken.push(`pin ${String(row['id'])} has no layer: ${String(row['layerId'])}`)
  return broken
}
