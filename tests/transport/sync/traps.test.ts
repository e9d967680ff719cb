import { ConstraintError, NotFoundError, RejectedError } from 'rowcast'
import { LogUncertainError, memoryLogStorage, type Log, type LogStorage } from 'rowcast/server'
import { afterEach, expect, test } from 'vitest'
import { now, rest, rowsOf, SteppedWorld, withoutClock, type Seat } from '../../support/stepped-world.ts'
import { RawClient } from '../../server/session/raw-client.ts'

let world: SteppedWorld

afterEach(async () => {
  expect(world.errors).toEqual([])
  await world.close()
})

/** Two clients in step, and one note. */
async function two(options: Parameters<typeof SteppedWorld.start>[0] = {}): Promise<[Seat, Seat]> {
  world = await SteppedWorld.start(options)
  const ann = await world.open()
  const bob = await world.open()
  ann.store.table('note').insert({ id: 1, slug: 'a' })
  await world.settle()
  return [ann, bob]
}

/** Everyone shows what the server has, and every transaction is in the log once. */
async function expectAgreement(seats: readonly Seat[] = world.seats): Promise<void> {
  const truth = await world.truth()
  for (const { store } of seats) expect(rowsOf(store)).toEqual(truth)
  const ids = (await world.log()).flatMap(({ id }) => id ?? [])
  expect(new Set(ids).size).toBe(ids.length)
}

async function saving({ store }: Seat): Promise<string> {
  const { state, pending } = await now(store.sync.status$)
  return state === 'live' ? (pending > 0 ? 'saving' : 'saved') : state
}

test.each([1, 2, 3, 4, 5, 6, 7, 8])(
  'two clients that were offline and come back at once end up equal, with the edits of both (%i)',
  async (seed) => {
    const [ann, bob] = await two({ seed })
    for (const { faults } of [ann, bob]) faults.cutAll('no network')
    ann.store.table('note').set(1, 'text.value', 'ann')
    ann.store.table('note').set(1, 'size', 1)
    ann.store.table('note').insert({ id: 2 })
    bob.store.table('note').set(1, 'text.color', 'red')
    bob.store.table('note').set(1, 'size', 2)
    bob.store.table('note').insert({ id: 3 })
    for (const { timers } of [ann, bob]) timers.next()
    await world.settle()
    await expectAgreement()
    expect(ann.store.table('note').keys()).toEqual([1, 2, 3])
    expect(ann.store.table('note').get(1)).toMatchObject({ text: { value: 'ann', color: 'red' } })
    expect([1, 2]).toContain(ann.store.table('note').get(1)!.size)
  },
)

test('an update of a row that someone has deleted is confirmed as nothing', async () => {
  const [ann, bob] = await two()
  ann.faults.cutAll('no network')
  const draft = ann.store.draft({ label: 'late' })
  draft.table('note').update(1, { size: 33, text: { value: 'x' } })
  const { confirmed } = draft.commit()
  ann.store.table('note').set(1, 'size', 34)
  bob.store.table('note').delete(1)
  await world.settle([bob])
  await world.settle()
  await confirmed
  expect(await now(ann.store.sync.rejected$)).toEqual([])
  expect(await now(ann.store.sync.pending$)).toEqual([])
  expect(ann.store.table('note').has(1)).toBe(false)
  await expectAgreement()
})

test('offline edits of a row, one that makes it anew among them, meet its deletion by someone else', async () => {
  const [ann, bob] = await two()
  ann.faults.cutAll('no network')
  ann.store.table('note').set(1, 'size', 33)
  ann.store.table('note').delete(1)
  ann.store.table('note').insert({ id: 1, slug: 'again' })
  bob.store.table('note').delete(1)
  await world.settle([bob])
  await world.settle()
  expect(ann.store.table('note').get(1)).toMatchObject({ slug: 'again', size: 10 })
  await expectAgreement()
})

test('of several transactions in flight on one row, the refusal of the first leaves the later ones as they are', async () => {
  const [ann] = await two({
    permissions: {
      layer: { canView: true },
      note: { canView: true, canCreate: true, canUpdate: ({ after }) => Reflect.get(after!, 'slug') !== 'forbidden' },
    },
  })
  const notes = ann.store.table('note')
  notes.update(1, { slug: 'forbidden', size: 50, points: [1] })
  notes.set(1, 'size', 60)
  notes.set(1, 'text.value', 'later')
  await rest()
  const seen: unknown[] = []
  ann.store.changes$.subscribe(({ changes }) => seen.push(...changes.map(({ after }) => after)))
  await world.settle()
  expect(notes.get(1)).toMatchObject({ slug: 'a', size: 60, text: { value: 'later' } })
  expect(notes.get(1)!.points).toBeUndefined()
  // Each cell falls back once, and what the later ones wrote never goes away meanwhile.
  expect(seen).toEqual([{ slug: 'a', points: undefined }])
  expect(await now(ann.store.sync.rejected$)).toMatchObject([{ code: 'forbidden' }])
  await expectAgreement()
})

test('a transaction of something forbidden and something allowed leaves nothing, wherever one looks', async () => {
  const [ann, bob] = await two({
    permissions: {
      layer: { canView: true, canCreate: false },
      note: { canView: true, canCreate: true, canUpdate: true },
    },
  })
  const before = await world.truth()
  const logged = (await world.log()).length
  ann.store.transaction(
    () => {
      ann.store.table('layer').insert({ id: 'l' })
      ann.store.table('note').insert({ id: 2 })
      ann.store.table('note').set(1, 'size', 99)
    },
    { label: 'both' },
  )
  await world.settle()
  expect(await world.truth()).toEqual(before)
  expect((await world.log()).length).toBe(logged)
  expect(rowsOf(bob.store)).toEqual(before)
  expect(rowsOf(ann.store)).toEqual(before)
  expect(await now(ann.store.sync.rejected$)).toMatchObject([{ label: 'both', code: 'forbidden' }])
})

test('the same transaction over two connections is applied once and acknowledged on both', async () => {
  await two()
  const one = await RawClient.enter(world.core)
  const other = await RawClient.enter(world.core)
  const change = { table: 'note', key: 7, op: 'put', after: { id: 7, size: 70 } } as const
  one.transact([change], { id: 'same' })
  other.transact([change], { id: 'same' })
  const verdicts = await Promise.all([one.verdict('same'), other.verdict('same')])
  expect(verdicts.map(({ type }) => type).toSorted()).toEqual(['commits', 'known'])
  const third = await RawClient.enter(world.core)
  expect(await third.commit([change], { id: 'same' })).toMatchObject({ type: 'known' })
  expect((await world.log()).filter(({ id }) => id === 'same')).toHaveLength(1)
  for (const client of [one, other, third]) client.leave()
  await world.settle()
  await expectAgreement()
})

test('a subscription added in the same moment as a matching commit gives the row once, and stays in step', async () => {
  for (let seed = 1; seed <= 25; seed++) {
    world = await SteppedWorld.start({ seed })
    const ann = await world.open()
    const bob = await world.open({ subscribe: [{ table: 'layer' }] })
    await world.settle()
    const inserted: unknown[] = []
    bob.store.changes$.subscribe(({ changes }) => {
      for (const { op, key } of changes) if (op === 'insert') inserted.push(key)
    })
    const doBoth = [
      () => void ann.store.table('note').insert({ id: 5 }),
      () => void bob.store.sync.subscribe([{ table: 'note', where: { size: { lt: 50 } } }]),
    ]
    for (const act of world.random.chance(50) ? doBoth : doBoth.toReversed()) {
      act()
      await rest()
      for (let n = world.random.int(3); n > 0; n--) world.random.pick(world.seats).faults.step('deliver')
    }
    await world.settle()
    expect(inserted, `seed ${seed}`).toEqual([5])
    ann.store.table('note').set(5, 'size', 20)
    await world.settle()
    expect(bob.store.table('note').get(5), `seed ${seed}`).toMatchObject({ size: 20 })
    ann.store.table('note').set(5, 'size', 70)
    await world.settle()
    expect(bob.store.table('note').has(5), `seed ${seed}`).toBe(false)
    if (seed < 25) await world.close()
  }
})

// SyncClient (sync-client.ts): a set that is added between hello and welcome is neither in the hello nor posted, as
// `#welcomed` is false still. On 'welcome', post what hello did not name, and take back what it named and is gone:
// remember the ids that `#hello` sent.
test('a subscription added after hello was said and before the welcome is asked for all the same', async () => {
  const [ann] = await two()
  const bob = await world.open({ subscribe: [{ table: 'layer' }] })
  bob.faults.step('deliver')
  await rest()
  const { ready } = bob.store.sync.subscribe([{ table: 'note' }])
  await world.settle()
  await ready
  expect(bob.store.table('note').get(1)).toEqual(ann.store.table('note').get(1))
})

// The same cause: the server goes on with a set of which the client knows nothing any more.
test('a subscription ended after hello was said and before the welcome is ended all the same', async () => {
  const [ann] = await two()
  const bob = await world.open({ subscribe: [{ table: 'layer' }] })
  const notes = bob.store.sync.subscribe([{ table: 'note' }])
  bob.faults.step('deliver')
  await rest()
  notes.unsubscribe()
  await world.settle()
  ann.store.table('note').insert({ id: 2 })
  await world.settle()
  expect(bob.store.table('note').keys()).toEqual([])
})

// SyncClient.received, 'welcome' with reset false: only a reset makes the subscriptions of a hello ready (#takeRows). Call
// every `ready` there as well: what the client has is what they show.
test('a subscription added offline beside everything is ready once the client is back', async () => {
  const [ann] = await two()
  ann.faults.cutAll('no network')
  let isReady = false
  const subscription = ann.store.sync.subscribe([{ table: 'note' }])
  subscription.ready.then(
    () => (isReady = true),
    () => undefined,
  )
  await world.settle()
  await rest()
  expect(isReady).toBe(true)
})

/** Ann has made a transaction of two rows that Bob's, confirmed first, stands against. */
async function collide(): Promise<[Seat, Seat]> {
  const [ann, bob] = await two()
  ann.faults.cutAll('no network')
  ann.store.transaction(
    () => {
      ann.store.table('note').insert({ id: 2, slug: 'taken', size: 20 })
      ann.store.table('note').set(1, 'size', 11)
    },
    { label: 'ann' },
  )
  ann.store.table('note').set(1, 'text.value', 'later')
  bob.store.table('note').insert({ id: 3, slug: 'taken' })
  await world.settle([bob])
  return [ann, bob]
}

/** Until what Bob has confirmed is there and the verdict on Ann's own is not. */
async function deliverUntilHidden({ store, faults, timers }: Seat): Promise<void> {
  timers.next()
  for (let n = 0; n < 50 && !store.table('note').has(3); n++) {
    faults.step('deliver')
    await rest()
  }
}

test('a pending transaction that collides with an arrival leaves the view whole until the verdict', async () => {
  const [ann] = await collide()
  await deliverUntilHidden(ann)
  const pending = await now(ann.store.sync.pending$)
  expect(pending.map(({ label, hidden }) => [label, hidden])).toEqual([
    ['ann', true],
    [undefined, false],
  ])
  expect(ann.store.table('note').keys()).toEqual([1, 3])
  expect(ann.store.table('note').get(1)).toMatchObject({ size: 10, text: { value: 'later' } })
  await world.settle()
  expect(await now(ann.store.sync.rejected$)).toMatchObject([{ label: 'ann', code: 'constraint' }])
  await expectAgreement()
})

// PendingLayers.#apply sets `evicted` and nobody hears of it: Outbox tells only when a transaction comes or goes. Have
// `arrive` and `remove` return whether they evicted one, and SyncClient tell the outbox then.
test('pending$ tells that a transaction went out of view when it does', async () => {
  const [ann] = await collide()
  let shown: readonly boolean[] = []
  ann.store.sync.pending$.subscribe((list) => (shown = list.map(({ hidden }) => hidden)))
  await deliverUntilHidden(ann)
  expect(shown).toEqual([true, false])
})

test('a transaction that is out of view shows again where the server takes it after all', () =>
  withoutClock(async () => {
    const [ann, bob] = await collide()
    await deliverUntilHidden(ann)
    bob.store.table('note').set(3, 'slug', 'free')
    await world.settle([bob])
    await world.settle()
    expect(await now(ann.store.sync.rejected$)).toEqual([])
    expect(ann.store.table('note').get(2)).toMatchObject({ slug: 'taken', size: 20 })
    await expectAgreement()
  }))

test('undo of a confirmed change reaches the others, and so does its redo', async () => {
  const [ann, bob] = await two()
  ann.store.table('note').update(1, { size: 20, slug: 'b' })
  await world.settle()
  bob.store.table('note').set(1, 'text.value', 'bob')
  await world.settle()
  ann.store.history.undo()
  await world.settle()
  expect(bob.store.table('note').get(1)).toMatchObject({ size: 10, slug: 'a', text: { value: 'bob' } })
  ann.store.history.redo()
  await world.settle()
  expect(bob.store.table('note').get(1)).toMatchObject({ size: 20, slug: 'b', text: { value: 'bob' } })
  await expectAgreement()
})

test('status$ goes from saved over saving back to saved, and over offline, where nothing is lost', async () => {
  const [ann] = await two()
  const seen: string[] = []
  ann.store.sync.status$.subscribe(({ state, pending }) => {
    const status = state === 'live' ? (pending > 0 ? 'saving' : 'saved') : state
    if (seen.at(-1) !== status) seen.push(status)
  })
  ann.store.table('note').set(1, 'size', 20)
  await world.settle()
  ann.faults.cutAll('no network')
  await rest()
  expect(await now(ann.store.sync.status$)).toMatchObject({ state: 'offline', reason: 'no network', pending: 0 })
  ann.store.table('note').set(1, 'size', 21)
  expect(await now(ann.store.sync.status$)).toMatchObject({ state: 'offline', pending: 1 })
  await world.settle()
  expect(seen).toEqual(['saved', 'saving', 'saved', 'offline', 'saving', 'saved'])
  expect(await saving(ann)).toBe('saved')
  await expectAgreement()
})

test('a rejected transaction is retried once what stood against it has gone, or discarded, and only once', async () => {
  const [ann, bob] = await collide()
  await world.settle()
  const [rejected] = await now(ann.store.sync.rejected$)
  expect(() => rejected!.retry()).toThrow(ConstraintError)
  expect(await now(ann.store.sync.rejected$)).toEqual([rejected])
  expect(ann.store.table('note').has(2)).toBe(false)

  bob.store.table('note').set(3, 'slug', 'free')
  await world.settle()
  rejected!.retry()
  expect(await now(ann.store.sync.rejected$)).toEqual([])
  expect(() => rejected!.retry()).toThrow(NotFoundError)
  expect(() => rejected!.discard()).toThrow(NotFoundError)
  await world.settle()
  expect(bob.store.table('note').get(2)).toMatchObject({ slug: 'taken', size: 20 })
  expect(bob.store.table('note').get(1)).toMatchObject({ size: 11 })
  await expectAgreement()
})

test('a discarded rejection leaves nothing behind', async () => {
  const [ann] = await collide()
  await world.settle()
  const before = rowsOf(ann.store)
  const [rejected] = await now(ann.store.sync.rejected$)
  rejected!.discard()
  expect(await now(ann.store.sync.rejected$)).toEqual([])
  await world.settle()
  expect(rowsOf(ann.store)).toEqual(before)
  expect(() => rejected!.discard()).toThrow(NotFoundError)
})

test('a server that starts anew with transactions in flight applies each of them once', async () => {
  for (let steps = 0; steps < 12; steps++) {
    const [ann, bob] = await two({ seed: steps })
    const notes = ann.store.table('note')
    for (let n = 2; n < 7; n++) {
      notes.insert({ id: n, slug: `s${n}` })
      notes.set(1, 'size', notes.get(1)!.size + 1)
      bob.store.table('note').upsert({ id: 100 + n })
      await rest()
      for (let k = world.random.int(steps + 1); k > 0; k--) world.random.pick([ann, bob]).faults.step('deliver')
    }
    for (let k = 0; k < steps; k++) {
      world.random.pick([ann, bob]).faults.step('deliver')
      if (world.random.chance(50)) await rest()
    }
    await world.restart()
    await world.settle()
    expect(notes.get(1)!.size).toBe(15)
    expect(notes.count()).toBe(11)
    for (const { store } of [ann, bob]) expect(await now(store.sync.rejected$)).toEqual([])
    await expectAgreement()
    if (steps < 11) await world.close()
  }
})

test('a server that goes down while someone says hello reports no failure', async () => {
  await two()
  const bob = await world.open()
  bob.faults.step('deliver')
  await rest()
  bob.faults.step('deliver')
  const closing = world.core.close()
  await rest()
  await closing
  await world.restart()
  await world.settle()
  expect(world.errors.splice(0)).toEqual([])
})

/** A log storage of which some appends fail, in a way that leaves it open what has happened. */
function failingLogs(fail: () => 'before' | 'after' | 'broken' | undefined): LogStorage {
  const inner = memoryLogStorage()
  const wrap = (log: Log): Log => ({
    bounds: () => log.bounds(),
    read: (from, limit) => log.read(from, limit),
    bytes: (from, to) => log.bytes(from, to),
    trim: (before) => log.trim(before),
    close: () => log.close(),
    append: async (payloads, expected) => {
      const how = fail()
      if (how === 'broken') throw new Error('no space left')
      if (how === 'before') throw new LogUncertainError('log')
      await log.append(payloads, expected)
      if (how === 'after') throw new LogUncertainError('log')
    },
  })
  return {
    open: async (database, options) => wrap(await inner.open(database, options)),
    list: () => inner.list(),
    delete: (database) => inner.delete(database),
  }
}

test.each(['before', 'after'] as const)(
  'an append that fails %s the log has it loses nothing and applies nothing twice',
  async (how) => {
    let failures = 0
    const [ann, bob] = await two({ logs: failingLogs(() => (failures-- > 0 ? how : undefined)) })
    failures = 2
    const notes = ann.store.table('note')
    notes.insert({ id: 2 })
    notes.set(1, 'size', 11)
    bob.store.table('note').set(1, 'text.value', 'bob')
    const draft = bob.store.draft()
    draft.table('note').set(1, 'text.color', 'red')
    const { confirmed } = draft.commit()
    await world.settle()
    await confirmed
    expect(failures).toBeLessThanOrEqual(0)
    expect(notes.get(1)).toMatchObject({ size: 11, text: { value: 'bob', color: 'red' } })
    expect((await world.log()).length).toBe(6)
    await expectAgreement()
  },
)

test('a server that can not append at all loses nothing, and goes on once it can', async () => {
  let broken = false
  const [ann, bob] = await two({ logs: failingLogs(() => (broken ? 'broken' : undefined)) })
  broken = true
  ann.store.table('note').set(1, 'size', 11)
  bob.store.table('note').insert({ id: 2 })
  for (let n = 0; n < 5; n++) {
    await world.deliver()
    for (const { timers } of world.seats) timers.next()
  }
  expect(world.errors.splice(0).length).toBeGreaterThan(0)
  expect(await world.truth()).toMatchObject({ note: [{ id: 1, size: 10 }] })
  broken = false
  await world.settle()
  expect(ann.store.table('note').get(1)).toMatchObject({ size: 11 })
  await expectAgreement()
})

// LiveDatabase.#decide (live-database.ts) remembers a refusal in `#refused` at once, but the state that it was decided on is
// taken back where the append fails. Put what was refused there only in #process, after the append (beside `settle`).
test('a transaction is not refused for what an append that failed would have made true', async () => {
  let broken = false
  await two({ logs: failingLogs(() => (broken ? 'broken' : undefined)) })
  const one = await RawClient.enter(world.core)
  const other = await RawClient.enter(world.core)
  broken = true
  const put = (id: number): { table: string; key: number; op: 'put'; after: { id: number; slug: string } } => ({
    table: 'note',
    key: id,
    op: 'put',
    after: { id, slug: 'wanted' },
  })
  const { database, release } = await world.core.databases.use('scene')
  const { promise: gate, resolve: open } = Promise.withResolvers<void>()
  const held = database.run(() => gate)
  one.transact([put(8)], { id: 'first' })
  other.transact([put(9)], { id: 'second' })
  await rest()
  open()
  await held
  release()
  await Promise.all([one.closing(), other.closing()])
  world.errors.splice(0)
  broken = false
  // The first one's author never comes back.
  const again = await RawClient.enter(world.core)
  expect(await again.commit([put(9)], { id: 'second' })).toMatchObject({ type: 'commits' })
  again.leave()
  await world.settle()
})

test('an import on the server meets pending transactions and drafts as any change does', async () => {
  const [ann, bob] = await two()
  ann.store.table('note').insert([{ id: 2, slug: 'two' }, { id: 3 }])
  await world.settle()
  const file = ann.store.export()
  bob.store.table('note').update(1, { size: 77, slug: 'changed' })
  bob.store.table('note').delete(3)
  bob.store.table('layer').insert({ id: 'new' })
  await world.settle()

  ann.faults.cutAll('no network')
  ann.store.table('note').set(1, 'text.value', 'pending')
  const draft = ann.store.draft()
  draft.table('note').set(1, 'size', 500)
  const { database, release } = await world.core.databases.use('scene')
  await database.replace(file, { kind: 'import' })
  release()
  await world.settle()
  expect(bob.store.table('note').get(1)).toMatchObject({ size: 10, slug: 'a', text: { value: 'pending' } })
  expect(bob.store.table('note').keys()).toEqual([1, 2, 3])
  expect(bob.store.table('layer').keys()).toEqual([])
  expect(ann.store.table('note').get(1)).toMatchObject({ size: 500, slug: 'a' })
  expect(await now(draft.conflicts$)).toMatchObject([{ key: 1, path: 'size', mine: 500, theirs: undefined }])
  draft.cancel()
  await expectAgreement()
})

test('a confirmed promise rejects with what the server said', async () => {
  const [ann] = await collide()
  const draft = ann.store.draft({ label: 'doomed' })
  draft.table('note').insert({ id: 4, slug: 'x' })
  const { confirmed } = draft.commit()
  const other = world.seats[1]!
  other.store.table('note').insert({ id: 5, slug: 'x' })
  await world.settle([other])
  await world.settle()
  await expect(confirmed).rejects.toThrow(RejectedError)
  expect(ann.store.table('note').has(4)).toBe(false)
  expect((await now(ann.store.sync.rejected$)).map(({ label }) => label)).toEqual(['ann', 'doomed'])
})
