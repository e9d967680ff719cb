import { createStore, type Persistence } from 'rowcast'
import { memoryTransport } from 'rowcast/transport'
import type { ServerCore } from 'rowcast/server'
import { expect, test } from 'vitest'
import { MemoryDisk } from '../../support/memory-disk.ts'
import { openScene, openServer, sceneSchema, settled } from '../../support/sync-world.ts'

function openKept(core: ServerCore, persistence: Persistence) {
  return createStore({
    schema: sceneSchema,
    sync: { transport: memoryTransport(core.accept), database: 'scene' },
    persistence,
  })
}

test('whatever part of its records was kept by a crash, a copy comes to what the server has', async () => {
  const core = await openServer()
  const disk = new MemoryDisk()
  const ann = await openKept(core, disk)
  await settled(ann)
  await ann.saved()
  const before = disk.contents
  // Answers what comes from others.
  let answers = 0
  ann.changes$.subscribe(({ changes, origin }) => {
    if (origin !== 'remote') return
    for (const { table, key, op } of changes)
      if (table === 'layer' && op === 'insert') ann.table('note').insert({ id: ++answers, layerId: String(key) })
  })
  const bob = await openScene(core)
  await settled(bob)
  // In one message each: what the second does is nothing to whoever has the first.
  ann.table('layer').insert({ id: 'gone' })
  ann.table('layer').delete('gone')
  bob.table('layer').insert({ id: 'bob' })
  bob.table('layer').set('bob', 'name', 'Bob')
  await Promise.all([settled(ann), settled(bob)])
  expect(bob.table('note').all()).toMatchObject([{ id: 1, layerId: 'bob' }])
  ann.table('note').delete(1)
  await Promise.all([settled(ann), settled(bob)])
  await ann.saved()
  const { records } = disk.contents
  await ann.close()

  const rows = (store: typeof bob) => ({ layer: store.table('layer').all(), note: store.table('note').all() })
  const expected = rows(bob)
  expect(expected).toEqual({ layer: [{ id: 'bob', name: 'Bob' }], note: [] })
  expect(records.length).toBeGreaterThan(before.records.length + 4)
  for (let count = before.records.length; count <= records.length; count++) {
    const part = new MemoryDisk({ snapshot: before.snapshot, records: records.slice(0, count) })
    const again = await openKept(core, part)
    await settled(again)
    expect(rows(again), `with ${count} of ${records.length} records`).toEqual(expected)
    await again.close()
  }
  await Promise.all([bob.close(), core.close()])
})
