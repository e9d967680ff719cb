import { firstValueFrom, filter } from 'rxjs'
import { expect, test } from 'vitest'
import { openScene, openServer, settled } from '../../support/sync-world.ts'

test('what one store commits another one shows, and the author knows that it is confirmed', async () => {
  const core = await openServer()
  const [ann, bob] = await Promise.all([openScene(core), openScene(core)])
  await Promise.all([settled(ann), settled(bob)])

  ann.table('layer').insert({ id: 'roads', name: 'Roads' })
  ann.table('note').insert({ id: 1, layerId: 'roads', slug: 'a', text: { value: 'hi' } })
  await settled(ann)
  await firstValueFrom(
    bob
      .table('note')
      .row$(1)
      .pipe(filter((row) => row !== undefined)),
  )
  expect(bob.table('note').get(1)).toEqual(ann.table('note').get(1))

  const seen: unknown[] = []
  ann.changes$.subscribe(({ changes, origin }) => seen.push([origin, changes.map(({ after }) => after)]))
  bob.table('note').set(1, 'text.color', 'red')
  await firstValueFrom(
    ann
      .table('note')
      .field$(1, 'text.color')
      .pipe(filter((color) => color === 'red')),
  )
  expect(seen).toEqual([['remote', [{ 'text.color': 'red' }]]])
  expect(ann.sync.sequence).toBe(4)

  ann.table('layer').delete('roads')
  await firstValueFrom(
    bob
      .table('note')
      .row$(1)
      .pipe(filter((row) => row === undefined)),
  )
  expect(bob.table('layer').count()).toBe(0)
  await Promise.all([ann.close(), bob.close(), core.close()])
})

test('a store that comes later gets what is there, and one that comes back what has changed', async () => {
  const core = await openServer()
  const ann = await openScene(core)
  ann.table('note').insert([{ id: 1 }, { id: 2, size: 20 }])
  await settled(ann)
  const bob = await openScene(core)
  await settled(bob)
  expect(bob.table('note').all()).toEqual(ann.table('note').all())
  await Promise.all([ann.close(), bob.close(), core.close()])
})

test('a refused transaction falls back cell by cell and is told with its reason', async () => {
  const core = await openServer()
  const [ann, bob] = await Promise.all([openScene(core), openScene(core)])
  await Promise.all([settled(ann), settled(bob)])
  ann.table('note').insert({ id: 1, slug: 'a' })
  ann.table('note').insert({ id: 2, slug: 'b' })
  await settled(ann)
  await firstValueFrom(
    bob
      .table('note')
      .row$(2)
      .pipe(filter((row) => row !== undefined)),
  )
  // Both take the slug at once: the server takes one.
  ann.transaction(() => ann.table('note').update(1, { slug: 'c', size: 11 }), { label: 'ann' })
  bob.transaction(() => bob.table('note').update(2, { slug: 'c', size: 22 }), { label: 'bob' })
  await Promise.all([settled(ann), settled(bob)])
  expect(await firstValueFrom(ann.sync.rejected$)).toEqual([])
  const [rejected] = await firstValueFrom(bob.sync.rejected$.pipe(filter((list) => list.length > 0)))
  expect(rejected).toMatchObject({ label: 'bob', code: 'constraint' })
  expect(bob.table('note').get(2)).toMatchObject({ slug: 'b', size: 10 })
  expect(bob.table('note').get(1)).toMatchObject({ slug: 'c', size: 11 })
  rejected!.discard()
  expect(await firstValueFrom(bob.sync.rejected$)).toEqual([])
  await Promise.all([ann.close(), bob.close(), core.close()])
})
