import { expect, test } from 'vitest'
import { firstSeed } from '../../support/random.ts'
import { now, rest, SteppedWorld, withoutClock, type Seat } from '../../support/stepped-world.ts'

const SEEDS = Number(process.env['ROWCAST_SEEDS'] ?? 25)
const STEPS = 150

/** Parts that a client may ask for, and the same as a plain test. */
const PARTS = [
  { sets: [{ table: 'layer' }], has: (table: string) => table === 'layer' },
  { sets: [{ table: 'note' }], has: (table: string) => table === 'note' },
  {
    sets: [{ table: 'note', where: { size: { lt: 50 } } }],
    has: (table: string, row: Row) => table === 'note' && row.size! < 50,
  },
  {
    sets: [{ table: 'note', where: { layerId: 'l1' } }],
    has: (table: string, row: Row) => table === 'note' && row.layerId === 'l1',
  },
  {
    sets: [
      { table: 'layer', where: { name: { in: ['n1', 'n2'] } } },
      { table: 'note', where: { slug: 's1' } },
    ],
    has: (table: string, row: Row) =>
      table === 'layer' ? ['n1', 'n2'].includes(row.name!) : table === 'note' && row.slug === 's1',
  },
] as const

interface Row {
  readonly id: unknown
  readonly size?: number
  readonly layerId?: string
  readonly slug?: string
  readonly name?: string
}

/** A client and the parts that it has asked for. */
interface Viewer {
  readonly seat: Seat
  readonly parts: Map<ReturnType<Seat['store']['sync']['subscribe']>, (typeof PARTS)[number]>
}

class Partial {
  readonly viewers: Viewer[] = []
  readonly world: SteppedWorld
  readonly writer: Seat

  constructor(world: SteppedWorld, writer: Seat) {
    this.world = world
    this.writer = writer
  }

  async join(): Promise<void> {
    // A client asks for something, or it gets everything: a part that matches nothing.
    const seat = await this.world.open({ subscribe: [{ table: 'layer', where: { id: 'none' } }] })
    this.viewers.push({ seat, parts: new Map() })
  }

  async step(): Promise<void> {
    const { random, seats } = this.world
    const what = random.int(100)
    if (what < 25) this.#write()
    else if (what < 35) await this.#turn(random.pick(this.viewers))
    else if (what < 45) this.#writeWhatOneSees(random.pick(this.viewers))
    else if (what < 90) random.pick(seats).faults.step()
    else if (what < 98) this.world.passTime(random.pick(seats))
    else if (what < 99) random.pick(seats).faults.cutAll('cut')
    else await this.world.restart()
    if (random.chance(70)) await rest()
  }

  /** Rows come, go, and move between the parts. */
  #write(): void {
    const { random } = this.world
    const notes = this.writer.store.table('note')
    const layers = this.writer.store.table('layer')
    const id = random.int(8)
    const layer = `l${random.int(3)}`
    const slug = `s${random.int(3)}`
    switch (random.int(6)) {
      case 0:
        notes.upsert({ id, size: random.int(100), ...(layers.has(layer) && { layerId: layer }) })
        break
      case 1:
        if (notes.has(id)) notes.set(id, 'size', random.int(100))
        break
      case 2:
        if (notes.has(id) && notes.count({ slug }) === 0) notes.set(id, 'slug', slug)
        break
      case 3:
        notes.delete(notes.keys().slice(0, 1))
        break
      case 4:
        layers.upsert({ id: layer, name: `n${random.int(4)}` })
        break
      default:
        if (layers.has(layer) && random.chance(40)) layers.delete(layer)
    }
  }

  /** Whoever sees a row may change it, whether its parent is here or not. */
  #writeWhatOneSees({ seat: { store } }: Viewer): void {
    const { random } = this.world
    const key = random.pick(store.table('note').keys())
    if (key !== undefined) store.table('note').update(key, { size: random.int(100), text: { value: 'seen' } })
  }

  /** Asks for a part more, or for one less. */
  async #turn({ seat, parts }: Viewer): Promise<void> {
    const { random } = this.world
    // Only once welcomed or offline: see the traps for what happens in between.
    const { state } = await now(seat.store.sync.status$)
    if (state !== 'live') return
    const some = [...parts.keys()]
    if (parts.size > 0 && random.chance(45)) {
      const one = random.pick(some)
      one.unsubscribe()
      parts.delete(one)
      return
    }
    const part = random.pick(PARTS)
    parts.set(seat.subscribe(part.sets), part)
  }

  /** What each client shows is what matches, no more and no less. */
  async expectExact(): Promise<void> {
    const truth = await this.world.truth()
    for (const [n, { seat, parts }] of this.viewers.entries())
      for (const table of ['note', 'layer'] as const) {
        const expected = truth[table].filter((row) => [...parts.values()].some(({ has }) => has(table, row as Row)))
        const described = [...parts.values()].map(({ sets }) => JSON.stringify(sets)).join(' + ')
        expect(seat.store.table(table).all(), `client ${n}, ${table} of ${described}`).toEqual(expected)
      }
  }
}

async function expectConvergence(seed: number): Promise<void> {
  const world = await SteppedWorld.start({ seed, limits: { catchUp: 20 } })
  const partial = new Partial(world, await world.open())
  for (let n = 0; n < 3; n++) await partial.join()
  await world.settle()
  for (let n = 0; n < STEPS; n++) await partial.step()
  await world.settleAfterLosses()
  await partial.expectExact()
  expect(world.errors).toEqual([])
  for (const { seat } of partial.viewers) expect(await now(seat.store.sync.pending$)).toEqual([])
  await world.close()
}

test(`clients that ask for parts have just what matches, at rest, whatever the network did (${SEEDS} seeds from ${firstSeed})`, async () => {
  for (let n = 0; n < SEEDS; n++) {
    const seed = firstSeed + n
    try {
      await withoutClock(() => expectConvergence(seed))
    } catch (error) {
      throw new Error(`seed ${seed} (ROWCAST_SEED=${seed} ROWCAST_SEEDS=1 replays it): ${String(error)}`, {
        cause: error,
      })
    }
  }
}, 600_000)

test.each([
  // A row that came into view below a scan, was told by that, and went before the client was told of what it had missed.
  900_005_809,
  // The same, and the connection was cut before: the client went on from where it was before the scan.
  930_004_988,
  // The last piece of a transfer came twice, and its end was lost: the numbers of messages were right again.
  940_000_447,
])('so it is with seed %i, which failed once', (seed) => withoutClock(() => expectConvergence(seed)))

async function family(): Promise<{ world: SteppedWorld; writer: Seat }> {
  const world = await SteppedWorld.start()
  const writer = await world.open()
  writer.store.table('layer').insert({ id: 'l', name: 'Layer' })
  writer.store.table('note').insert([{ id: 1, layerId: 'l' }, { id: 2 }])
  await world.settle()
  return { world, writer }
}

test('children come without the parents that nobody asked for, can be changed here, and go with them', async () => {
  const { world, writer } = await family()
  const { store } = await world.open({ subscribe: [{ table: 'note' }] })
  await world.settle()
  expect(store.table('layer').keys()).toEqual([])
  store.table('note').update(1, { size: 33 })
  await world.settle()
  expect(writer.store.table('note').get(1)).toMatchObject({ size: 33, layerId: 'l' })
  writer.store.table('layer').delete('l')
  await world.settle()
  expect(store.table('note').keys()).toEqual([2])
  await world.close()
})

test('parents that leave the part that was asked for leave their children where they are', async () => {
  const { world, writer } = await family()
  const { store } = await world.open({ subscribe: [{ table: 'note' }, { table: 'layer', where: { name: 'Layer' } }] })
  await world.settle()
  writer.store.table('layer').set('l', 'name', 'Other')
  await world.settle()
  expect(store.table('layer').keys()).toEqual([])
  expect(store.table('note').get(1)).toMatchObject({ layerId: 'l' })
  writer.store.table('layer').set('l', 'name', 'Layer')
  await world.settle()
  expect(store.table('layer').keys()).toEqual(['l'])
  await world.close()
})

test('a row stays while one of several subscriptions shows it', async () => {
  const { world } = await family()
  const { store } = await world.open({ subscribe: [{ table: 'layer' }] })
  await world.settle()
  const all = store.sync.subscribe([{ table: 'note' }])
  const small = store.sync.subscribe([{ table: 'note', where: { id: 1 } }])
  await world.settle()
  all.unsubscribe()
  await world.settle()
  expect(store.table('note').keys()).toEqual([1])
  small.unsubscribe()
  await world.settle()
  expect(store.table('note').keys()).toEqual([])
  await world.close()
})

test('a subscription added while everything is fetched anew is ready only once its own rows are here', async () => {
  const { world } = await family()
  const { store, faults } = await world.open({ subscribe: [{ table: 'layer' }] })
  faults.step('deliver')
  await rest()
  faults.step('deliver')
  await rest()
  faults.step('deliver')
  const notes = store.sync.subscribe([{ table: 'note' }])
  let shown: readonly unknown[] | undefined
  void notes.ready.then(() => (shown = store.table('note').keys()))
  faults.step('deliver')
  await rest()
  await world.settle()
  expect(shown).toEqual([1, 2])
  await world.close()
})

test('a subscription added while the token of a new connection is awaited is asked for with its hello', async () => {
  const { world } = await family()
  let give: ((token: string) => void) | undefined
  const { store, faults } = await world.open({
    subscribe: [{ table: 'layer' }],
    token: () => new Promise((resolve) => (give = resolve)),
  })
  faults.step('deliver')
  give!('first')
  await world.settle()
  faults.cutAll('cut')
  world.seats.at(-1)!.timers.next()
  faults.step('deliver')
  const notes = store.sync.subscribe([{ table: 'note' }])
  give!('second')
  await world.settle()
  await notes.ready
  expect(store.table('note').keys()).toEqual([1, 2])
  await world.close()
})

test('a subscription that can not be had is refused alone, also while there is no connection', async () => {
  const { world } = await family()
  const { store, faults, timers } = await world.open({ subscribe: [{ table: 'note' }] })
  await world.settle()
  faults.cutAll('cut')
  const refused = store.sync.subscribe([{ table: 'nothing' } as never])
  timers.next()
  await world.settle()
  await expect(refused.ready).rejects.toMatchObject({ code: 'rejected', rejection: 'not-found' })
  expect(store.table('note').keys()).toEqual([1, 2])
  await world.close()
})
