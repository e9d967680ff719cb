import { createStore, DamagedError, type DamageReport } from 'rowcast'
import { createTabs } from 'rowcast/tabs'
import { memoryTransport, tabPersistence, tabTransport } from 'rowcast/transport'
import { config, filter, firstValueFrom, map } from 'rxjs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { MemoryDisk } from '../../support/memory-disk.ts'
import { nobody, sceneSchema } from '../../support/sync-world.ts'

let name: string
let disk: MemoryDisk
let uncaught: unknown[]

beforeEach(() => {
  name = crypto.randomUUID()
  disk = new MemoryDisk()
  uncaught = []
  config.onUnhandledError = (error) => uncaught.push(error)
})

afterEach(() => {
  config.onUnhandledError = null
})

type Choice = 'rescue' | 'reset'

async function openTab(choice?: Choice) {
  const tabs = createTabs({ name, silenceMs: 400 })
  const reports: DamageReport[] = []
  const onDamaged = choice && ((report: DamageReport) => (reports.push(report), choice))
  const store = await createStore({
    schema: sceneSchema,
    sync: {
      transport: tabTransport({ name, transport: () => memoryTransport(nobody), tabs }),
      database: 'scene',
    },
    persistence: tabPersistence({ name, persistence: disk, tabs }),
    onDamaged,
  }).catch((error: unknown) => {
    tabs.close()
    throw error
  })
  const layers = store.table('layer')
  return {
    store,
    layers,
    reports,
    ids: () =>
      layers
        .all()
        .map(({ id }) => id)
        .toSorted(),
    pending: (count: number) =>
      firstValueFrom(
        store.sync.pending$.pipe(
          map((list) => list.map(({ changes }) => String(changes.changes[0]?.key)).toSorted()),
          filter(({ length }) => length === count),
        ),
      ),
    async close() {
      await store.close().finally(() => tabs.close())
    },
  }
}

/** Uncaught errors surface by timers: those before this one. */
async function surfaced(): Promise<unknown[]> {
  await new Promise((resolve) => setTimeout(resolve))
  return uncaught
}

/** What a flipped byte makes of the last record; where it is not told by a checksum, what it says is nothing that can be read. */
const damages = {
  'a record that its checksum betrays': () => {
    const records = disk.contents.records.slice(0, -1)
    disk.contents = { ...disk.contents, records }
    disk.damage = { snapshot: false, gaps: [{ before: records.length, bytes: 9 }], findings: ['1.log: broken'] }
  },
  'a record that nobody can read': () => {
    const records = [...disk.contents.records.slice(0, -1), new TextEncoder().encode('{')]
    disk.contents = { ...disk.contents, records }
  },
}

/** Two tabs, with edits of both and then one more of the first, which is lost; the first has gone. */
async function promoted(choice: Choice | undefined, damage: () => void) {
  const a = await openTab(choice)
  const b = await openTab(choice)
  a.layers.insert({ id: 'a1' })
  await a.store.saved()
  b.layers.insert({ id: 'b1' })
  await b.store.saved()
  a.layers.insert({ id: 'lost' })
  await a.store.saved()
  damage()
  await a.close()
  await expect.poll(() => disk.opens).toBeGreaterThan(1)
  return b
}

for (const [what, damage] of Object.entries(damages)) {
  for (const choice of ['rescue', 'reset'] as const)
    test(`${what}: a tab that is promoted asks onDamaged, and with '${choice}' has what waits and is intact`, async () => {
      const b = await promoted(choice, damage)
      expect(await b.pending(2)).toEqual(['a1', 'b1'])
      await b.store.saved()
      expect(b.reports).toHaveLength(1)
      expect(b.reports[0]).toMatchObject({ snapshot: false, lost: [expect.anything()] })
      expect(b.reports[0]!.pending).toHaveLength(1)
      b.layers.insert({ id: 'b2' })
      await b.store.saved()
      await b.close()
      const c = await openTab()
      expect(await c.pending(3)).toEqual(['a1', 'b1', 'b2'])
      await c.close()
      expect(await surfaced()).toEqual([])
    })

  test(`${what}: without onDamaged saved() of a promoted tab rejects, it is told once, and nothing is tried again`, async () => {
    const b = await promoted(undefined, damage)
    await expect.poll(() => uncaught.length).toBe(1)
    const { contents, opens } = disk
    await expect(b.store.saved()).rejects.toBeInstanceOf(DamagedError)
    b.layers.insert({ id: 'b2' })
    await expect(b.store.saved()).rejects.toMatchObject({ report: { pending: [expect.anything()] } })
    b.layers.insert({ id: 'b3' })
    await expect(b.store.saved()).rejects.toBeInstanceOf(DamagedError)
    expect(b.ids()).toEqual(['b1', 'b2', 'b3'])
    expect(await surfaced()).toEqual([expect.any(DamagedError)])
    expect(disk.opens).toBe(opens)
    expect(disk.contents).toEqual(contents)
    // One that opens beside it is told the same.
    await expect(openTab()).rejects.toMatchObject({ report: { lost: [expect.anything()] } })
    await expect(b.close()).rejects.toBeInstanceOf(DamagedError)
    const c = await openTab('rescue')
    expect(await c.pending(2)).toEqual(['a1', 'b1'])
    await c.close()
  })

  test(`${what}: the first of two tabs decides when both start, and both have what is intact`, async () => {
    const a = await openTab()
    a.layers.insert({ id: 'a1' })
    a.layers.insert({ id: 'a2' })
    await a.store.saved()
    a.layers.insert({ id: 'lost' })
    await a.store.saved()
    await a.close()
    damage()
    const [b, c] = await Promise.all([openTab('rescue'), openTab('rescue')])
    expect([...b.reports, ...c.reports]).toHaveLength(1)
    const holder = b.reports.length > 0 ? b : c
    expect(holder.reports[0]).toMatchObject({ lost: [{ before: holder.reports[0]!.intact.before }] })
    expect(await holder.pending(2)).toEqual(['a1', 'a2'])
    await Promise.all([b.store.saved(), c.store.saved()])
    await Promise.all([b.close(), c.close()])
    const d = await openTab()
    expect(await d.pending(2)).toEqual(['a1', 'a2'])
    await d.close()
    expect(await surfaced()).toEqual([])
  })

  test(`${what}: without onDamaged every tab that starts is told what is intact, and nothing is touched`, async () => {
    const a = await openTab()
    a.layers.insert({ id: 'a1' })
    await a.store.saved()
    a.layers.insert({ id: 'lost' })
    await a.store.saved()
    await a.close()
    damage()
    const { contents } = disk
    const results = await Promise.allSettled([openTab(), openTab()])
    for (const result of results)
      expect(result).toMatchObject({ status: 'rejected', reason: { report: { pending: [expect.anything()] } } })
    expect(disk.contents).toEqual(contents)
  })
}
