import { createStore, StoreClosedError } from 'rowcast'
import { memoryTransport } from 'rowcast/transport'
import type { ServerCore } from 'rowcast/server'
import { firstValueFrom, type Observable } from 'rxjs'
import { expect, test } from 'vitest'
import { MemoryDisk } from '../../support/memory-disk.ts'
import { openScene, openServer, sceneSchema, settled } from '../../support/sync-world.ts'

function openKept(core: ServerCore, disk: MemoryDisk) {
  return createStore({
    schema: sceneSchema,
    sync: { transport: memoryTransport(core.accept), database: 'scene' },
    persistence: disk,
  })
}

const streams = ['changes', 'commits', 'pending', 'status', 'rejected'] as const
const causes = ['own', 'arrival', 'confirmed', 'refused'] as const

test.for(streams.flatMap((stream) => causes.map((cause) => ({ stream, cause }))))(
  'what is written in answer to $stream after $cause is neither lost nor doubled',
  async ({ stream, cause }) => {
    const core = await openServer()
    const bob = await openScene(core)
    bob.table('layer').insert({ id: 'taken', name: 'Bob' })
    await settled(bob)
    const disk = new MemoryDisk()
    const ann = await openKept(core, disk)
    await settled(ann)
    await ann.saved()
    const before = disk.contents

    let armed = false
    let answered = false
    const answer = (): void => {
      if (!armed || answered) return
      answered = true
      ann.table('note').insert({ id: 1, slug: 'answer' })
    }
    const told: { readonly [stream: string]: Observable<unknown> } = {
      changes: ann.changes$,
      commits: ann.commits$,
      pending: ann.sync.pending$,
      status: ann.sync.status$,
      rejected: ann.sync.rejected$,
    }
    told[stream]!.subscribe(answer)
    const insertBoth = (): void =>
      ann.transaction(() => {
        ann.table('layer').insert({ id: 'own' })
        ann.table('note').insert({ id: 77, layerId: 'own' })
      })
    if (cause === 'own') armed = true
    if (cause === 'own' || cause === 'confirmed') insertBoth()
    if (cause === 'refused') {
      // Both put it before they hear of each other.
      bob.table('layer').insert({ id: 'race', name: 'Bob' })
      ann.table('layer').insert({ id: 'race', name: 'Ann' })
    }
    armed = true
    if (cause === 'arrival') bob.table('layer').set('taken', 'name', 'Bob again')
    await Promise.all([settled(ann), settled(bob)])
    const sequence = bob.sync.sequence
    await expect.poll(() => ann.sync.sequence).toBeGreaterThanOrEqual(sequence)
    await Promise.all([settled(ann), settled(bob)])
    expect(ann.table('note').has(1)).toBe(answered)
    const rejected = await firstValueFrom(ann.sync.rejected$)
    expect(rejected.map(({ label, changes }) => [label, ...changes.changes.map(({ key }) => key)])).toEqual(
      cause === 'refused' && rejected.length > 0 ? [[undefined, 'race']] : [],
    )
    await ann.saved()
    const rows = (store: typeof bob) => ({ layer: store.table('layer').all(), note: store.table('note').all() })
    const expected = rows(ann)
    await expect.poll(() => rows(bob)).toEqual(expected)
    armed = false
    await ann.close()
    // From every part of what was noted the same comes about.
    const { records } = disk.contents
    for (let count = before.records.length; count <= records.length; count++) {
      const again = await openKept(core, new MemoryDisk({ ...before, records: records.slice(0, count) }))
      await settled(again)
      expect(rows(again), `with ${count} records`).toEqual(expected)
      await again.close()
    }
    await Promise.all([bob.close(), core.close()])
  },
)

test('what is written in answer to the end is refused, where it could not be kept any more', async () => {
  const core = await openServer()
  const store = await openKept(core, new MemoryDisk())
  await settled(store)
  const answers: unknown[] = []
  store.sync.status$.subscribe(({ state }) => {
    if (state !== 'closed') return
    try {
      store.table('layer').insert({ id: 'late' })
    } catch (error) {
      answers.push(error)
    }
  })
  await store.close()
  expect(answers).toEqual([expect.any(StoreClosedError)])
  await core.close()
})

test('whoever discards what was refused in answer leaves nobody with it', async () => {
  const core = await openServer()
  const [ann, bob] = [await openScene(core), await openScene(core)]
  await Promise.all([settled(ann), settled(bob)])
  const seen: number[] = []
  bob.sync.rejected$.subscribe((list) => {
    for (const rejected of list) rejected.discard()
  })
  bob.sync.rejected$.subscribe((list) => seen.push(list.length))
  ann.table('layer').insert({ id: 'race' })
  bob.table('layer').insert({ id: 'race', name: 'Bob' })
  await Promise.all([settled(ann), settled(bob)])
  expect(seen.at(-1)).toBe(0)
  expect(await firstValueFrom(bob.sync.rejected$)).toEqual([])
  await Promise.all([ann.close(), bob.close(), core.close()])
})
