import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { serializeValue, type RowChange } from '../../changes/index.ts'
import type { SqliteDriver } from '../../drivers/index.ts'
import { nodeSqliteDriver } from '../../drivers/node.ts'
import { NotFoundError } from '../../errors/index.ts'
import type { Schema } from '../../schema/index.ts'
import type { Store } from '../../store/index.ts'
import { AppliedTransactions } from '../applied-transactions.ts'
import { assertDepth, assertDepthOf } from '../depth.ts'
import type { Place, Point } from '../history.ts'
import { LogPartedError } from '../log-errors.ts'
import { dropServerTables, withoutServerTables } from '../server-tables.ts'
import { State, type Loaded } from '../state.ts'
import type { WorkHost } from './work-host.ts'

/** What takes as long as a database is large. Each works on what is kept of a database, and never on the live state. */
export interface Works {
  /** Makes `scratch` the newest state. */
  readonly open: {
    readonly given: object
    readonly result: Omit<Loaded, 'state'> & { readonly point: Point }
  }
  /** The file of a state with what the server keeps in it, but for the ids of transactions before `knownFrom`. */
  readonly snapshot: {
    readonly given: { readonly at: Point; readonly knownFrom: number }
    readonly result: { readonly bytes: Uint8Array }
  }
  /** Makes `scratch` the file of a state, without what the server keeps in it. */
  readonly export: {
    readonly given: { readonly at: Place }
    readonly result: { readonly point: Point; readonly size: number; readonly sha256: string }
  }
  /** The first state of another database, made of a state of this one. */
  readonly fork: {
    readonly given: { readonly at: Place; readonly incarnation: string }
    readonly result: { readonly bytes: Uint8Array }
  }
  /** The first state of a database made of a file: its rows, checked like any others. */
  readonly create: {
    readonly given: { readonly file: Uint8Array; readonly incarnation: string }
    readonly result: { readonly bytes: Uint8Array }
  }
  /**
   * What a file, or an earlier state, would change in the newest one: as `changes` where they are few. Otherwise they are
   * handed over in slices, and `scratch` and `bytes` are the state that comes of them.
   */
  readonly replace: {
    readonly given: { readonly from: Point; readonly to: Uint8Array | number }
    readonly result:
      | { readonly changes: readonly RowChange[] }
      | { readonly changes: undefined; readonly bytes: Uint8Array }
  }
}

export type WorkKind = keyof Works

/** What a work is about, and where it works. */
interface Bench {
  readonly database: string
  /** A path where no file is yet: the work may leave one there. Without one it works in memory. */
  readonly scratch: string | undefined
}

export type Work<Kind extends WorkKind = WorkKind> = {
  readonly [One in Kind]: { readonly kind: One } & Bench & Works[One]['given']
}[Kind]

export type ResultOf<Asked extends Work> = Works[Asked['kind']]['result']

/** Changes that may be applied at once, by the characters of their text. */
const FEW = 64 * 1024
/** Characters of a slice of changes, about. */
const SLICE = 64 * 1024

/** Does a work, on the thread that calls it. */
export async function doWork(work: Work, host: WorkHost, schema: Schema): Promise<Works[WorkKind]['result']> {
  const total = STEPS[work.kind]
  let done = 0
  const step = (): void => host.progress({ done: ++done, total })
  host.progress({ done, total })
  switch (work.kind) {
    case 'open':
      return open(work, host, schema, step)
    case 'snapshot':
      return snapshot(work, host, schema, step)
    case 'export':
      return exportState(work, host, schema, step)
    case 'fork':
      return fork(work, host, schema, step)
    case 'create':
      return create(work, schema, step)
    case 'replace':
      return replace(work, host, schema, step)
  }
}

const STEPS: Readonly<Record<WorkKind, number>> = { open: 1, snapshot: 2, export: 3, fork: 3, create: 2, replace: 3 }

async function open(work: Work<'open'>, host: WorkHost, schema: Schema, step: () => void): Promise<Result<'open'>> {
  const { state, ...loaded } = await State.load(work.database, schema, host, { driver: driverOf(work) })
  const { point } = state
  await state.close()
  step()
  return { ...loaded, point }
}

async function snapshot(
  work: Work<'snapshot'>,
  host: WorkHost,
  schema: Schema,
  step: () => void,
): Promise<Result<'snapshot'>> {
  const state = await stateAt(work, work.at, host, schema)
  step()
  state.forgetBefore(work.knownFrom)
  return { bytes: await bytesOf(work, state) }
}

async function exportState(
  work: Work<'export'>,
  host: WorkHost,
  schema: Schema,
  step: () => void,
): Promise<Result<'export'>> {
  const file = work.scratch!
  const state = await stateAt(work, work.at, host, schema)
  const { point } = state
  await state.close()
  step()
  await change(file, dropServerTables)
  step()
  const bytes = readFileSync(file)
  return { point, size: bytes.length, sha256: createHash('sha256').update(bytes).digest('base64url') }
}

async function fork(work: Work<'fork'>, host: WorkHost, schema: Schema, step: () => void): Promise<Result<'fork'>> {
  const file = work.scratch!
  const state = await stateAt(work, work.at, host, schema)
  await state.close()
  step()
  await change(file, (driver) => {
    dropServerTables(driver)
    const applied = new AppliedTransactions(driver)
    applied.setFact('incarnation', work.incarnation)
    applied.finalize()
  })
  step()
  return { bytes: readBytes(file) }
}

/** Opens the file of a state that is closed, for what is no change of its rows. */
async function change(file: string, act: (driver: SqliteDriver) => void): Promise<void> {
  const driver = await nodeSqliteDriver({ file, durable: false }).open()
  try {
    act(driver)
  } finally {
    driver.close()
  }
}

async function create(work: Work<'create'>, schema: Schema, step: () => void): Promise<Result<'create'>> {
  const state = await State.create(schema, driverOf(work))
  try {
    state.store.import(await withoutServerTables(work.file))
    assertDepth(state.store)
    step()
    state.applied.setFact('incarnation', work.incarnation)
  } catch (error) {
    await state.close()
    throw error
  }
  return { bytes: await bytesOf(work, state) }
}

async function replace(
  work: Work<'replace'>,
  host: WorkHost,
  schema: Schema,
  step: () => void,
): Promise<Result<'replace'>> {
  const { from, to } = work
  const state = await stateAt(work, from, host, schema)
  try {
    step()
    const changes = importChanges(
      state.store,
      typeof to === 'number' ? await earlier(work, to, host, schema) : await withoutServerTables(to),
    )
    assertDepthOf(changes)
    step()
    const slices = [...inSlices(changes)]
    if (slices.length <= 1 && serializeValue(changes).length <= FEW) return { changes }
    const bytes = await bytesOf(work, state)
    for (const slice of slices) await host.take(slice)
    return { changes: undefined, bytes }
  } finally {
    await state.close()
  }
}

type Result<Kind extends WorkKind> = Works[Kind]['result']

/** Throws NotFoundError for a state that there isn't, LogPartedError where it is one of another history. */
async function stateAt(bench: Bench, at: Place, host: WorkHost, schema: Schema): Promise<State> {
  const { database } = bench
  const { state } = await State.load(database, schema, host, { at: at.sequence, driver: driverOf(bench) })
  const { sequence, digest } = state.point
  if (sequence === at.sequence && (at.digest === undefined || digest === at.digest)) return state
  await state.close()
  if (sequence === at.sequence) throw new LogPartedError(`log of '${database}'`, sequence)
  throw new NotFoundError(`database '${database}' has no state ${at.sequence}: it ends at ${sequence}`)
}

/** The file of an earlier state, in memory. */
async function earlier(work: Work, at: number, host: WorkHost, schema: Schema): Promise<Uint8Array> {
  const state = await stateAt({ ...work, scratch: undefined }, { sequence: at }, host, schema)
  try {
    return state.snapshot()
  } finally {
    await state.close()
  }
}

/** The state as a file, which is closed. */
async function bytesOf({ scratch }: Bench, state: State): Promise<Uint8Array> {
  if (scratch === undefined) {
    const bytes = state.snapshot()
    await state.close()
    return bytes
  }
  await state.close()
  return readBytes(scratch)
}

function readBytes(file: string): Uint8Array {
  const bytes = readFileSync(file)
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
}

function driverOf({ scratch }: Bench): ReturnType<typeof nodeSqliteDriver> {
  return nodeSqliteDriver(scratch === undefined ? {} : { file: scratch, durable: false })
}

/** Imports a file, and tells what changed. */
function importChanges(store: Store, bytes: Uint8Array): readonly RowChange[] {
  const told: RowChange[] = []
  const subscription = store.changes$.subscribe(({ changes }) => {
    for (const change of changes) told.push(change)
  })
  try {
    store.import(bytes)
  } finally {
    subscription.unsubscribe()
  }
  return told
}

function* inSlices(changes: readonly RowChange[]): Generator<readonly RowChange[]> {
  let slice: RowChange[] = []
  let length = 0
  for (const change of changes) {
    slice.push(change)
    length += serializeValue(change).length
    if (length < SLICE) continue
    yield slice
    slice = []
    length = 0
  }
  if (slice.length > 0) yield slice
}
