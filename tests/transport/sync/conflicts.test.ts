import { RejectedError } from 'rowcast'
import { afterEach, expect, test } from 'vitest'
import { now, rowsOf, SteppedWorld, type Seat } from '../../support/stepped-world.ts'

let world: SteppedWorld

afterEach(async () => {
  expect(world.errors).toEqual([])
  await world.close()
})

/** Ann drafts `mine` for the size of a note of 10, and Bob commits `theirs`. */
async function drafted({ mine = 50, theirs = 70 } = {}): Promise<{
  ann: Seat
  bob: Seat
  draft: ReturnType<Seat['store']['draft']>
}> {
  world = await SteppedWorld.start()
  const ann = await world.open()
  const bob = await world.open()
  ann.store.table('note').insert({ id: 1, slug: 'a' })
  await world.settle()
  const draft = ann.store.draft({ label: 'edit' })
  draft.table('note').set(1, 'size', mine)
  bob.store.table('note').set(1, 'size', theirs)
  await world.settle()
  return { ann, bob, draft }
}

const size = { table: 'note', key: 1, path: 'size' } as const
const sizeOf = ({ store }: Seat): number | undefined => store.table('note').get(1)?.size

test('a remote change under an open draft stays below it and is a conflict', async () => {
  const { ann, bob, draft } = await drafted()
  expect(sizeOf(ann)).toBe(50)
  expect(sizeOf(bob)).toBe(70)
  expect(await now(draft.conflicts$)).toEqual([{ ...size, mine: 50, theirs: 70 }])
  bob.store.table('note').set(1, 'size', 71)
  await world.settle()
  expect(await now(draft.conflicts$)).toEqual([{ ...size, mine: 50, theirs: 71 }])
})

test('a remote change of another cell of the same row is no conflict, and shows at once', async () => {
  const { ann, bob, draft } = await drafted()
  draft.take(size)
  draft.table('note').set(1, 'size', 51)
  bob.store.table('note').set(1, 'text.value', 'bob')
  await world.settle()
  expect(await now(draft.conflicts$)).toEqual([])
  expect(ann.store.table('note').get(1)).toMatchObject({ size: 51, text: { value: 'bob' } })
})

test("a cell that is kept is committed over the other's value", async () => {
  const { ann, bob, draft } = await drafted()
  draft.keep(size)
  expect(await now(draft.conflicts$)).toEqual([])
  expect(sizeOf(ann)).toBe(50)
  const { confirmed } = draft.commit({ ifUnchanged: true })
  await world.settle()
  await confirmed
  expect([sizeOf(ann), sizeOf(bob)]).toEqual([50, 50])
})

test("a cell that is taken shows the other's value, and leaves the draft nothing to commit", async () => {
  const { ann, draft } = await drafted()
  draft.take(size)
  expect(await now(draft.conflicts$)).toEqual([])
  expect(sizeOf(ann)).toBe(70)
  expect(await now(draft.isDirty$)).toBe(false)
  expect(draft.commit().changes.changes).toEqual([])
  await world.settle()
  expect(sizeOf(ann)).toBe(70)
})

test('a cancel reveals the newest remote value', async () => {
  const { ann, bob, draft } = await drafted()
  bob.store.table('note').set(1, 'size', 72)
  await world.settle()
  draft.cancel()
  expect(sizeOf(ann)).toBe(72)
})

test('a cancel reveals what is pending above the newest remote value', async () => {
  const { ann, bob, draft } = await drafted()
  const other = ann.store.draft()
  other.table('note').set(1, 'size', 60)
  ann.faults.cutAll('no network')
  other.commit()
  bob.store.table('note').set(1, 'size', 72)
  await world.settle([bob])
  draft.cancel()
  expect(sizeOf(ann)).toBe(60)
  await world.settle()
  expect([sizeOf(ann), sizeOf(bob)]).toEqual([60, 60])
})

test('a draft over a row that someone deletes loses the row, and its commit brings nothing back', async () => {
  const { ann, bob, draft } = await drafted()
  draft.table('note').insert({ id: 2 })
  bob.store.table('note').delete(1)
  await world.settle()
  expect(ann.store.table('note').has(1)).toBe(false)
  expect(await now(draft.conflicts$)).toMatchObject([{ key: 1 }])
  draft.commit()
  await world.settle()
  expect(rowsOf(bob.store).note).toMatchObject([{ id: 2 }])
  expect(rowsOf(ann.store)).toEqual(rowsOf(bob.store))
})

test('ifUnchanged refuses at once where a conflict is known, and the draft stays open', async () => {
  const { ann, draft } = await drafted()
  expect(() => draft.commit({ ifUnchanged: true })).toThrow(RejectedError)
  expect(sizeOf(ann)).toBe(50)
  draft.commit()
  await world.settle()
  expect(sizeOf(ann)).toBe(50)
})

test('ifUnchanged is refused by the server where the change of the other is not known here yet', async () => {
  const { ann, bob, draft } = await drafted()
  draft.cancel()
  const second = ann.store.draft({ label: 'second' })
  second.table('note').set(1, 'size', 51)
  second.table('note').set(1, 'slug', 'mine')
  bob.store.table('note').set(1, 'size', 73)
  await world.settle([bob])
  const { confirmed } = second.commit({ ifUnchanged: true })
  expect(sizeOf(ann)).toBe(51)
  await world.settle()
  await expect(confirmed).rejects.toMatchObject({ rejection: 'conflict' })
  expect(ann.store.table('note').get(1)).toMatchObject({ size: 73, slug: 'a' })
  expect(await now(ann.store.sync.rejected$)).toMatchObject([{ label: 'second', code: 'conflict' }])
  expect(rowsOf(ann.store)).toEqual(rowsOf(bob.store))
})

test('ifUnchanged is confirmed where only other cells of the row have changed', async () => {
  const { ann, bob, draft } = await drafted()
  draft.cancel()
  const second = ann.store.draft()
  second.table('note').set(1, 'size', 51)
  bob.store.table('note').set(1, 'text.value', 'bob')
  await world.settle([bob])
  const { confirmed } = second.commit({ ifUnchanged: true })
  await world.settle()
  await confirmed
  expect(bob.store.table('note').get(1)).toMatchObject({ size: 51, text: { value: 'bob' } })
})

test('confirmed resolves only once the server has confirmed', async () => {
  const { ann, draft } = await drafted()
  ann.faults.cutAll('no network')
  let isConfirmed = false
  draft.commit().confirmed.then(
    () => (isConfirmed = true),
    () => undefined,
  )
  await world.deliver()
  expect(isConfirmed).toBe(false)
  await world.settle()
  expect(isConfirmed).toBe(true)
})
