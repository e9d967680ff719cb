import { createStore, sql, TransactionError } from 'rowcast'
import { memoryTransport } from 'rowcast/transport'
import { firstValueFrom } from 'rxjs'
import { expect, test } from 'vitest'
import { openScene, openServer, sceneSchema, settled } from '../../support/sync-world.ts'

/** Two clients of one server put the same row: one of them, called Ann, is refused. */
async function race() {
  const core = await openServer()
  const clients = [await openScene(core), await openScene(core)] as const
  await Promise.all(clients.map(settled))
  for (const [n, client] of clients.entries()) client.table('layer').insert({ id: 'race', name: `client ${n}` })
  await Promise.all(clients.map(settled))
  const lists = await Promise.all(clients.map((client) => firstValueFrom(client.sync.rejected$)))
  expect(lists.flat()).toHaveLength(1)
  const [ann, bob] = lists[0]!.length > 0 ? clients : [clients[1], clients[0]]
  const close = (): Promise<unknown> => Promise.all([ann.close(), bob.close(), core.close()])
  return { ann, bob, rejected: lists.flat()[0]!, confirmed: bob.table('layer').get('race'), close }
}

test('what was refused can not be undone: that would undo what another has done', async () => {
  const { ann, bob, confirmed, close } = await race()
  ann.table('note').insert({ id: 1 })
  expect(ann.history.undo()).toMatchObject({ changes: { changes: [{ table: 'note' }] } })
  expect(ann.history.undo()).toBeUndefined()
  await Promise.all([settled(ann), settled(bob)])
  expect(ann.table('layer').get('race')).toEqual(confirmed)
  expect(bob.table('layer').get('race')).toEqual(confirmed)
  await close()
})

/** Two clients of one server, of which one, called Ann, sees nothing of the other's notes. */
async function apart() {
  const core = await openServer()
  const bob = await openScene(core)
  const ann = await createStore({
    schema: sceneSchema,
    sync: {
      transport: memoryTransport(core.accept),
      database: 'scene',
      subscribe: [{ table: 'note', where: { secret: true } }],
    },
  })
  await Promise.all([settled(ann), settled(bob)])
  const close = (): Promise<unknown> => Promise.all([ann.close(), bob.close(), core.close()])
  return { ann, bob, close }
}

/** Ann has put a note and deleted it, whose unique value the other, unseen, has taken since: to undo that is refused. */
async function taken() {
  const clients = await apart()
  const { ann, bob } = clients
  ann.table('note').insert({ id: 1, slug: 'same', secret: true })
  ann.table('note').delete(1)
  await settled(ann)
  bob.table('note').insert({ id: 2, slug: 'same' })
  await settled(bob)
  return clients
}

test('a step whose undo is refused is set aside, and the next undo is the step below', async () => {
  const { ann, bob, close } = await taken()
  ann.history.undo()
  await settled(ann)
  expect(await firstValueFrom(ann.sync.rejected$)).toHaveLength(1)
  expect(ann.table('note').has(1)).toBe(false)
  const { done, undone } = await firstValueFrom(ann.history.steps$)
  expect(undone).toEqual([])
  expect(done.map(({ changes }) => changes.changes[0]?.op)).toEqual(['insert'])
  const [skipped] = await firstValueFrom(ann.history.skipped$)
  expect(skipped).toMatchObject({ action: 'undo', reason: { rejection: 'constraint' } })
  expect(skipped!.step.changes.changes[0]?.op).toBe('delete')
  // Once it can be, what was refused is asked for again.
  bob.table('note').delete(2)
  await settled(bob)
  const [rejected] = await firstValueFrom(ann.sync.rejected$)
  rejected!.retry()
  await settled(ann)
  expect(ann.table('note').get(1)).toMatchObject({ slug: 'same' })
  await close()
})

test('an undo of what is refused does nothing to what others have, and leaves no step', async () => {
  const { ann, bob, close } = await apart()
  bob.table('note').insert({ id: 2, slug: 'same' })
  bob.table('note').insert({ id: 3 })
  await settled(bob)
  // Neither does she know of that slug nor of the note 3.
  ann.table('note').insert({ id: 1, slug: 'same', secret: true })
  ann.history.undo()
  ann.table('note').insert({ id: 3, secret: true })
  ann.table('note').set(3, 'size', 50)
  ann.table('note').delete(3)
  await settled(ann)
  const rejected = await firstValueFrom(ann.sync.rejected$)
  expect(rejected.map(({ code }) => code)).toEqual(['constraint', 'conflict', 'constraint', 'conflict', 'conflict'])
  expect(await firstValueFrom(ann.history.steps$)).toEqual({ done: [], undone: [] })
  expect(bob.table('note').get(3)).toMatchObject({ id: 3, size: 10 })
  await close()
})

test('what is written as it was, and an undo of what was done again, rest on what may be refused too', async () => {
  const { ann, bob, close } = await apart()
  const notes = ann.table('note')
  notes.insert({ id: 5, slug: 'same', secret: true })
  ann.history.undo()
  await Promise.all([settled(ann), settled(bob)])
  // Neither does she know of that slug nor of the notes 3 and 5.
  bob.table('note').insert({ id: 2, slug: 'same' })
  bob.table('note').insert({ id: 3, size: 20 })
  await settled(bob)
  ann.history.redo()
  ann.history.undo()
  await settled(ann)
  expect(await firstValueFrom(ann.history.steps$)).toEqual({ done: [], undone: [] })
  expect(await firstValueFrom(ann.history.skipped$)).toMatchObject([{ action: 'redo', reason: { code: 'rejected' } }])
  bob.table('note').insert({ id: 5 })
  await settled(bob)
  expect(ann.history.undo()).toBeUndefined()

  notes.insert({ id: 3, size: 11, secret: true })
  ann.transaction(() => {
    notes.set(3, 'size', 12)
    notes.set(3, 'size', 11)
  })
  await settled(ann)
  expect(bob.table('note').get(3)).toMatchObject({ size: 20 })
  expect(bob.table('note').has(5)).toBe(true)
  await close()
})

test('a step whose undo is refused while it is done again is set aside', async () => {
  const { ann, close } = await taken()
  ann.history.undo()
  ann.history.redo()
  await settled(ann)
  const { done, undone } = await firstValueFrom(ann.history.steps$)
  expect(done.map(({ changes }) => changes.changes[0]?.op)).toEqual(['insert'])
  expect(undone).toEqual([])
  expect(await firstValueFrom(ann.history.skipped$)).toMatchObject([{ action: 'undo', reason: { code: 'rejected' } }])
  await close()
})

test('what was refused is not dealt with in a transaction, which could take it back', async () => {
  const { ann, rejected, close } = await race()
  for (const deal of [() => rejected.retry(), () => rejected.discard()]) {
    expect(() => ann.transaction(deal)).toThrow(TransactionError)
    expect(await firstValueFrom(ann.sync.rejected$)).toEqual([rejected])
  }
  rejected.discard()
  expect(await firstValueFrom(ann.sync.rejected$)).toEqual([])
  await close()
})

test('a transaction that the server is to confirm does not rest on what only a draft has', async () => {
  const { ann, close } = await race()
  const notes = ann.table('note')
  notes.insert({ id: 1, size: 5 })
  await settled(ann)
  const draft = ann.draft({ label: 'under way' })
  draft.table('note').set(1, 'size', 50)
  const increment = () =>
    ann.transaction(() => notes.set(1, 'size', notes.get(1)!.size + 1), { confirm: 'server', retries: 2 })
  await expect(increment()).rejects.toThrow(/open draft has changed/)
  const ways: readonly (() => unknown)[] = [
    () => ann.exec(sql`update note set size = size + 1 where id = 1`),
    () => ann.query(sql`select size from note`),
    () => ann.live(sql`select size from note`).rows,
    () => notes.live().rows,
    () => notes.field$(1, 'size').subscribe().unsubscribe(),
    () => notes.delete(1),
  ]
  for (const way of ways)
    await expect(
      ann.transaction(() => void way(), { confirm: 'server' }),
      String(way),
    ).rejects.toThrow(/open draft has changed/)
  // Of other rows it says nothing.
  await ann.transaction(() => notes.insert({ id: 2 }), { confirm: 'server' })
  draft.cancel()
  await increment()
  expect(notes.get(1)).toMatchObject({ size: 6 })
  await close()
})
