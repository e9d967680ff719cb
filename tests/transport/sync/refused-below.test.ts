import { expect, test } from 'vitest'
import { SteppedWorld } from '../../support/stepped-world.ts'

test('a row that was put anew is put as a whole: what a refused transaction below it covered does not come back', async () => {
  const world = await SteppedWorld.start({
    authenticate: ({ token }) => ({ id: token! }),
    permissions: {
      layer: { canView: true },
      note: { canView: true, canCreate: true, canDelete: true, canUpdate: ({ user }) => user?.id === 'ann' },
    },
  })
  const ann = await world.open({ token: 'ann' })
  await world.settle()
  ann.store.table('note').insert({ id: 1, secret: true })
  await world.settle()
  const bob = await world.open({ token: 'bob' })
  await world.settle()
  const notes = bob.store.table('note')
  notes.update(1, { secret: false })
  notes.delete(1)
  bob.store.history.undo()
  await world.settle()
  expect(notes.get(1)).toMatchObject({ secret: false })
  expect(notes.all()).toEqual(((await world.truth()) as { note: unknown }).note)
  await world.close()
})
