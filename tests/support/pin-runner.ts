import { createStore, RowcastError, sql, type ChangeSet, type RowChange, type SqliteDriverFactory } from 'rowcast'
import { internals } from '../../src/store/index.ts'
import { arrivalOf } from './pin-arrivals.ts'
import { agree, Broken, replay, show } from './pin-replay.ts'
import { pinSchema, queryState, readState, type PinDraft, type PinStore, type PlainState } from './pin-rows.ts'
import { doPinWrite, OUTSIDE, type DraftNumber, type PinStep, type Who } from './pin-steps.ts'

/** What a transaction of the test throws to be taken back. */
class TakenBack extends Error {}

/** Runs steps on a fresh store and throws `Broken` after the first one that it does not keep its promises in. */
export async function runPinSteps(steps: readonly PinStep[], driver: () => SqliteDriverFactory): Promise<void> {
  const store: PinStore = await createStore({ schema: pinSchema, driver: driver() })
  const drafts = new Map<DraftNumber, PinDraft>()
  const check = promisesOf(store, drafts, driver)
  const take = async (act: (committed: PlainState) => readonly RowChange[]): Promise<void> => {
    let arrived: readonly RowChange[] = []
    let refused = false
    try {
      arrived = act(check.committed())
    } catch (error) {
      if (!(error instanceof RowcastError || error instanceof TakenBack)) throw error
      refused = true
    }
    await check.after(arrived, refused)
  }
  try {
    for (const step of steps) await take((committed) => doStep(store, drafts, step, committed))
    for (const draft of [1, 0, 2] as const) await take(() => end(drafts, draft, 'cancel'))
  } finally {
    await store.close()
  }
}

function doStep(
  store: PinStore,
  drafts: Map<DraftNumber, PinDraft>,
  step: PinStep,
  committed: PlainState,
): readonly RowChange[] {
  const placeOf = (who: Who): PinStore | PinDraft => {
    if (who === OUTSIDE) return store
    const open = drafts.get(who) ?? store.draft()
    drafts.set(who, open)
    return open
  }
  if ('write' in step) doPinWrite(placeOf(step.who), step.write)
  else if ('transaction' in step) {
    const place = placeOf(step.who)
    place.transaction(() => {
      for (const write of step.transaction) doPinWrite(place, write)
      if (step.throws) throw new TakenBack('on purpose')
    })
  } else if ('end' in step) end(drafts, step.draft, step.end)
  else if ('history' in step) store.history[step.history]()
  else if ('sql' in step) store.exec({ sql: step.sql, parameters: [] })
  else {
    const changes = arrivalOf(committed, step)
    if (changes.length > 0) receive(store, changes)
    return changes
  }
  return []
}

function receive(store: PinStore, changes: readonly RowChange[]): void {
  try {
    internals(store as never).applyRemote({ changes, origin: 'remote' })
  } catch (error) {
    throw new Broken(`an arrival was refused: ${show(changes)}`, { cause: error })
  }
}

function end(drafts: Map<DraftNumber, PinDraft>, number: DraftNumber, how: 'commit' | 'cancel'): [] {
  const draft = drafts.get(number)
  draft?.[how]()
  if (draft) drafts.delete(number)
  return []
}

interface Promises {
  committed(): PlainState
  after(arrived: readonly RowChange[], refused: boolean): Promise<void>
}

/** What must hold after every step. */
function promisesOf(
  store: PinStore,
  drafts: ReadonlyMap<DraftNumber, PinDraft>,
  driver: () => SqliteDriverFactory,
): Promises {
  let seen = readState(store)
  let committed = seen
  let changes: ChangeSet[] = []
  let commits: ChangeSet[] = []
  store.changes$.subscribe((set) => changes.push(set))
  store.commits$.subscribe((set) => commits.push(set))
  const agreeLive = watchQueries(store)

  return {
    committed: () => committed,
    after: async (arrived, refused) => {
      const [told, toldCommits] = [changes, commits]
      ;[changes, commits] = [[], []]
      if (refused && told.length + toldCommits.length > 0)
        throw new Broken(`told of a refusal: ${show([told, commits])}`)
      const now = readState(store)
      agree('SQL reads what the tables read', queryState(store), now)
      agree('changes$ tells all that is seen', replay('changes$', seen, changesOf(told)), now)
      checkRows('what is seen', now)
      agreeLive()
      const exported = await readExport(store, driver)
      checkRows('the export', exported)
      const recorded = replay('commits$', committed, [...arrived, ...changesOf(toldCommits)])
      agree('arrivals and commits$ tell all that is exported', recorded, exported)
      if (drafts.size === 0) agree('without drafts what is seen is what is exported', now, exported)
      ;[seen, committed] = [now, exported]
    },
  }
}

const changesOf = (sets: readonly ChangeSet[]): RowChange[] => sets.flatMap((set) => set.changes)

function checkRows(what: string, { board, pin }: PlainState): void {
  for (const [key, { boardId, leader, 'leader.size': size }] of pin) {
    if (typeof boardId === 'string' && !board.has(boardId)) throw new Broken(`${what}: ${key} refers to no board`)
    if (leader !== undefined && size === undefined) throw new Broken(`${what}: the leader of ${key} has no size`)
  }
}

async function readExport(store: PinStore, driver: () => SqliteDriverFactory): Promise<PlainState> {
  let reopened: PinStore
  try {
    reopened = await createStore({ schema: pinSchema, driver: driver(), data: store.export() })
  } catch (error) {
    throw new Broken(`the export does not open: ${String(error)}`, { cause: error })
  }
  const state = readState(reopened)
  await reopened.close()
  return state
}

/** Live queries from the start, to be compared with fresh ones. */
function watchQueries(store: PinStore): () => void {
  const all = sql`select * from pin order by id`
  const wide = { where: { 'leader.width': { gte: 7 } }, orderBy: ['-leader.width', 'slug'] } as const
  const rows = store.live(all)
  const wideRows = store.table('pin').live(wide)
  const sorted = store.table('pin').live({ orderBy: ['slug'] })
  rows.rows$.subscribe()
  wideRows.rows$.subscribe()
  sorted.rows$.subscribe()
  const agreeRows = (what: string, live: readonly object[], fresh: readonly object[]): void => {
    if (show(live) !== show(fresh)) throw new Broken(`${what} has ${show(live)}, a fresh one ${show(fresh)}`)
  }
  return () => {
    agreeRows('the live SQL query', rows.rows, store.query(all))
    agreeRows('the live query of wide leaders', wideRows.rows, store.table('pin').find(wide))
    agreeRows('the live query of all', sorted.rows, store.table('pin').find({ orderBy: ['slug'] }))
  }
}
