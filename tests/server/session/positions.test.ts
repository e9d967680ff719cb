/* oxlint-disable vitest/no-standalone-expect -- what holds after each of these tests is checked in one place */
import type { ServerCore } from 'rowcast/server'
import type { HelloMessage, WelcomeMessage } from 'rowcast/transport'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openServer } from '../../support/sync-world.ts'
import { put, RawClient } from './raw-client.ts'

let core: ServerCore
let ann: RawClient
const reported: unknown[] = []

beforeEach(async () => {
  core = await openServer({
    authenticate: ({ token }) => ({ id: token ?? 'ann' }),
    permissions: { note: { canView: true, canCreate: true, canUpdate: true } },
    limits: { catchUp: 5 },
    onError: (error) => reported.push(error),
  })
  ann = await RawClient.enter(core)
  await ann.commit([put(1)])
})

afterEach(async () => {
  expect(reported).toEqual([])
  await core.close()
})

async function welcome(position: string, hello: Partial<HelloMessage> = {}): Promise<WelcomeMessage> {
  const client = await RawClient.enter(core, { position, ...hello })
  client.leave()
  return client.next('welcome').catch(() => client.messages[0] as WelcomeMessage)
}

const sets = (...all: { table: string; where?: Record<string, unknown> }[][]): Partial<HelloMessage> => ({
  subscriptions: all.map((sets, index) => ({ id: `s${index}`, sets })),
})

test('a position is resumed from, by the same user with the same sets, in any order and under any ids', async () => {
  expect(await welcome(ann.position)).toMatchObject({ reset: false })
  expect(await welcome(ann.position, sets([]))).toMatchObject({ reset: false })
  const two = await RawClient.enter(core, sets([{ table: 'note' }], [{ table: 'layer' }]))
  expect(await welcome(two.position, sets([{ table: 'layer' }], [{ table: 'note' }]))).toMatchObject({ reset: false })
})

test('a position of another user or of other subscriptions leads to a reset', async () => {
  expect(await welcome(ann.position, { token: 'bob' })).toMatchObject({ reset: true })
  for (const other of [sets(), sets([], []), sets([{ table: 'note' }]), sets([{ table: 'note', where: { size: 1 } }])])
    expect(await welcome(ann.position, other)).toMatchObject({ reset: true })
})

test('a position that is garbled, cut or made up leads to a reset, and to nothing else', async () => {
  const { position } = ann
  const garbled = Array.from(position).map(
    (char, at) => position.slice(0, at) + (char === 'A' ? 'B' : 'A') + position.slice(at + 1),
  )
  const others = [
    '',
    '0',
    'x',
    position.slice(1),
    position.slice(0, -1),
    `${position}=`,
    `${position}A`,
    ` ${position}`,
    position.repeat(2),
    '\0',
    '🙂',
    'x'.repeat(128),
  ]
  for (const other of [...garbled, ...others]) expect(await welcome(other)).toMatchObject({ reset: true })
})

test('a position of another server or another life of the database leads to a reset', async () => {
  const other = await openServer({ authenticate: () => ({ id: 'ann' }), permissions: {} })
  const stranger = await RawClient.enter(other)
  expect(await welcome(stranger.position)).toMatchObject({ reset: true })
  await other.close()
  const { position } = ann
  ann.leave()
  await core.databases.delete('scene')
  await core.databases.create('scene')
  expect(await welcome(position)).toMatchObject({ reset: true })
})

test('who was away for long gets everything anew, and who was not the difference, net', async () => {
  const { position } = ann
  for (let size = 1; size <= 5; size++) await ann.commit([{ table: 'note', key: 1, op: 'update', after: { size } }])
  const back = await RawClient.enter(core, { position })
  expect(await back.next('commits')).toMatchObject({
    commits: [{ changes: [{ table: 'note', key: 1, op: 'update', after: { size: 5 } }] }],
  })
  await ann.commit([put(2)])
  expect(await welcome(position)).toMatchObject({ reset: true })
})
