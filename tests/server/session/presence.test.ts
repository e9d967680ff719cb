import { filter, firstValueFrom } from 'rxjs'
import { expect, test } from 'vitest'
import { openScene, openServer, settled } from '../../support/sync-world.ts'

test('presence names rows to those only who may see them', async () => {
  const core = await openServer({
    authenticate: ({ token }) => ({ id: token ?? 'nobody' }),
    permissions: {
      layer: { canView: true },
      note: { canView: ({ user, row }) => user?.id === 'ann' || Reflect.get(row, 'secret') !== true, canCreate: true },
    },
  })
  const ann = await openScene(core, { token: 'ann' })
  const bob = await openScene(core, { token: 'bob' })
  await Promise.all([settled(ann), settled(bob)])
  ann.table('note').insert([{ id: 1, secret: true }, { id: 2 }])
  await settled(ann)
  ann.sync.presence.set({
    at: 'here',
    selected: [
      { table: 'note', key: 1 },
      { table: 'note', key: 2 },
    ],
    edits: { table: 'note', key: 1, path: 'size' },
  })
  const [other] = await firstValueFrom(
    bob.sync.presence.others$.pipe(
      filter((others) => others.some(({ state }) => Object.keys(state as object).length > 0)),
    ),
  )
  expect(other).toMatchObject({ user: 'ann', state: { at: 'here', selected: [{ table: 'note', key: 2 }] } })
  expect(other!.state).not.toHaveProperty('edits')
  await Promise.all([ann.close(), bob.close(), core.close()])
})
