import { expect, test } from 'vitest'
import { rest, SteppedWorld } from '../../support/stepped-world.ts'

test('a pessimistic transaction has its turn while optimistic ones are committed without end, and does not see them', async () => {
  const world = await SteppedWorld.start()
  const ann = await world.open()
  const notes = ann.store.table('note')
  notes.insert([{ id: 1 }, { id: 2 }])
  await world.settle()
  notes.set(1, 'size', 20)
  const state = { confirmed: false }
  const done = ann.store
    .transaction(() => notes.set(2, 'text.value', String(notes.get(1)!.size)), { confirm: 'server' })
    .then(() => (state.confirmed = true))
  for (let n = 0; n < 40 && !state.confirmed; n++) {
    notes.set(1, 'size', 100 + n)
    ann.faults.step('deliver')
    await rest()
  }
  expect(state.confirmed).toBe(true)
  await done
  expect(notes.get(2)!.text.value).toBe('20')
  expect(notes.get(1)!.size).toBeGreaterThan(100)
  await world.settle()
  expect((await world.truth()).note).toEqual(notes.all())
  await world.close()
})

test('pessimistic transactions of one client beside optimistic ones all have their turn', async () => {
  const world = await SteppedWorld.start()
  const ann = await world.open()
  const notes = ann.store.table('note')
  notes.insert([{ id: 1 }, { id: 2 }])
  await world.settle()
  const done = [1, 2, 3].map((n) => {
    notes.set(1, 'size', n)
    const add = (): void => notes.set(2, 'size', notes.get(2)!.size + notes.get(1)!.size)
    return ann.store.transaction(add, { confirm: 'server', retries: 3 })
  })
  await world.settle()
  await Promise.all(done)
  expect(notes.get(2)!.size).toBe(16)
  await world.close()
})
