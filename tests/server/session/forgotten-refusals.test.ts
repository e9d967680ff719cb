import { memoryLogStorage, memorySnapshotStorage, ServerCore, type ServerOptions } from 'rowcast/server'
import { afterEach, expect, test } from 'vitest'
import { parseValue } from '../../../src/changes/index.ts'
import { sceneSchema } from '../../support/sync-world.ts'
import { contentOf, put, RawClient } from './raw-client.ts'

const open: ServerCore[] = []
let storage = { logs: memoryLogStorage(), snapshots: memorySnapshotStorage() }

afterEach(async () => {
  for (const core of open.splice(0)) await core.close()
  storage = { logs: memoryLogStorage(), snapshots: memorySnapshotStorage() }
})

/** A server that knows nothing but what is stored. */
async function serve(options: Partial<ServerOptions> = {}): Promise<ServerCore> {
  const core = new ServerCore({
    schema: sceneSchema,
    storage,
    secret: 'test',
    authenticate: ({ token }) => ({ id: token ?? 'ann' }),
    ...options,
  })
  open.push(core)
  if (!(await core.databases.list()).includes('scene')) await core.databases.create('scene')
  return core
}

const size = (size: number) => ({ table: 'note', key: 1, op: 'update' as const, after: { size } })

/** Ann's T1 stands behind a note of Bob's with the same slug; T2 goes in. Of what becomes of them she hears nothing. */
async function refuseFirst(core: ServerCore): Promise<void> {
  const bob = await RawClient.enter(core, { token: 'bob' })
  await bob.commit([put(1), put(2, { slug: 'same' })])
  const ann = await RawClient.enter(core)
  ann.transact([put(3, { slug: 'same' }), size(20)], { id: 'T1' })
  ann.transact([size(30)], { id: 'T2' })
  expect(await ann.verdict('T2')).toMatchObject({ type: 'commits' })
  ann.leave()
}

async function expectOrder(core: ServerCore): Promise<void> {
  const bob = await RawClient.enter(core, { token: 'bob' })
  await bob.commit([{ table: 'note', key: 2, op: 'delete' }])
  const ann = await RawClient.enter(core)
  expect(await ann.commit([put(3, { slug: 'same' }), size(20)], { id: 'T1' })).toMatchObject({
    type: 'refused',
    code: 'constraint',
  })
  expect(await ann.commit([size(30)], { id: 'T2' })).toMatchObject({ type: 'known' })
  expect((await contentOf(core))['note 1']).toMatchObject({ size: 30 })
}

test('what was refused is not applied behind what went in after it, by a server that starts anew', async () => {
  const one = await serve()
  await refuseFirst(one)
  await one.close()
  const two = await serve()
  await expectOrder(two)
  // From a snapshot too.
  await two.close()
  await expectOrder(await serve())
})

test('nor by another server of the same log, whether it has read that yet or not', async () => {
  const two = await serve()
  await RawClient.enter(two)
  await refuseFirst(await serve())
  await expectOrder(two)
})

test('an id that comes twice at once is refused twice, also where what stood against it is gone in between', async () => {
  const core = await serve()
  await refuseFirst(core)
  const [ann, again] = [await RawClient.enter(core), await RawClient.enter(core)]
  const taken = [put(4, { slug: 'same' }), size(40)]
  const move = { table: 'note', key: 2, op: 'update' as const, after: { slug: 'other' } }
  ann.transact(taken, { id: 'T3' })
  ann.transact([move], { id: 'T4' })
  again.transact(taken, { id: 'T3' })
  for (const client of [ann, again])
    expect(await client.verdict('T3')).toMatchObject({ type: 'refused', code: 'constraint' })
})

test('a refusal that a session is told again is in what it commits next', async () => {
  const one = await serve()
  const bob = await RawClient.enter(one, { token: 'bob' })
  await bob.commit([put(1), put(2, { slug: 'same' })])
  const first = await RawClient.enter(one)
  await first.commit([put(3, { slug: 'same' }), size(20)], { id: 'T1' })
  first.leave()
  const second = await RawClient.enter(one)
  await second.commit([put(3, { slug: 'same' }), size(20)], { id: 'T1' })
  await second.commit([size(30)], { id: 'T2' })
  await one.close()
  await expectOrder(await serve())
})

test("a refusal is its author's: another's transaction of the same id is decided", async () => {
  const one = await serve()
  await refuseFirst(one)
  await one.close()
  const two = await serve()
  const bob = await RawClient.enter(two, { token: 'bob' })
  expect(await bob.commit([put(9)], { id: 'T1' })).toMatchObject({ type: 'commits' })
})

test('a server decides nothing against a transaction before it has read all that the log has', async () => {
  const [one, two] = [await serve(), await serve()]
  const ann = await RawClient.enter(one)
  await RawClient.enter(two)
  await ann.commit([put(1, { slug: 'same' })])
  const stale = await RawClient.enter(two)
  await ann.commit([{ table: 'note', key: 1, op: 'delete' }])
  expect(await stale.commit([put(2, { slug: 'same' })])).toMatchObject({ type: 'commits' })
})

test('so many refusals that nothing follows are kept by an entry of their own', async () => {
  const one = await serve()
  const bob = await RawClient.enter(one, { token: 'bob' })
  await bob.commit([put(1), put(2, { slug: 'same' })])
  const ann = await RawClient.enter(one)
  for (let n = 0; n < 1_001; n++) ann.transact([put(3, { slug: 'same' })], { id: n === 0 ? 'T1' : `R${n}` })
  await ann.verdict('R1000')
  await one.close()
  const kinds: string[] = []
  for await (const { payload } of (await storage.logs.open('scene')).read(1))
    kinds.push((parseValue(payload) as { kind: string }).kind)
  expect(kinds).toEqual(['created', 'transaction', 'refused'])
  const two = await serve()
  const back = await RawClient.enter(two, { token: 'bob' })
  await back.commit([{ table: 'note', key: 2, op: 'delete' }])
  const again = await RawClient.enter(two)
  expect(await again.commit([put(3, { slug: 'same' })], { id: 'T1' })).toMatchObject({ type: 'refused' })
  expect(await again.commit([put(3, { slug: 'same' })], { id: 'R1000' })).toMatchObject({ type: 'commits' })
})
