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
  // Both take the slug at once: the server takes one, whichever it reads first.
  const sides = [
    { store: ann, name: 'ann', id: 1, mine: { slug: 'a', size: 10 }, wanted: { slug: 'c', size: 11 } },
    { store: bob, name: 'bob', id: 2, mine: { slug: 'b', size: 10 }, wanted: { slug: 'c', size: 22 } },
  ]
  for (const { store, name, id, wanted } of sides)
    store.transaction(() => store.table('note').update(id, wanted), { label: name })
  await Promise.all([settled(ann), settled(bob)])
  const lists = await Promise.all(sides.map(({ store }) => firstValueFrom(store.sync.rejected$)))
  const [rejected, ...others] = lists.flat()
  expect(others).toEqual([])
  const loser = sides[lists.findIndex(({ length }) => length > 0)]!
  const winner = sides.find((side) => side !== loser)!
  expect(rejected).toMatchObject({ label: loser.name, code: 'constraint' })
  expect(loser.store.table('note').get(loser.id)).toMatchObject(loser.mine)
  expect(loser.store.table('note').get(winner.id)).toMatchObject(winner.wanted)
  rejected!.discard()
  expect(await firstValueFrom(loser.store.sync.rejected$)).toEqual([])
  await Promise.all([ann.close(), bob.close(), core.close()])
})
