/* oxlint-disable vitest/no-standalone-expect -- what holds after each of these tests is checked in one place */
import type { ServerCore } from 'rowcast/server'
import { formatMessage, parseServerMessage, type WireChange } from 'rowcast/transport'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { CellValue } from '../../../src/changes/index.ts'
import { openServer } from '../../support/sync-world.ts'
import { contentOf, helloMessage, put, RawClient } from './raw-client.ts'

let core: ServerCore
let good: RawClient
let bad: RawClient
let reported: unknown[]

beforeEach(async () => {
  reported = []
  core = await openServer({ onError: (error) => reported.push(error) })
  good = await RawClient.enter(core)
  await good.commit([put(1, { slug: 'one' })])
  bad = await RawClient.enter(core)
})

afterEach(async () => {
  expect(reported).toEqual([])
  await core.close()
})

const update = (after: unknown, key: unknown = 1): WireChange =>
  ({ table: 'note', key, op: 'update', after }) as WireChange

test.each<[string, string, WireChange[]]>([
  ['an unknown table', 'not-found', [{ table: 'nothing', key: 1, op: 'put', after: {} }]],
  ['a table that objects have by nature', 'not-found', [{ table: '__proto__', key: 1, op: 'put', after: {} }]],
  ['a wrong type', 'validation', [put(2, { slug: 7 })]],
  ['a wrong type inside', 'validation', [put(2, { 'text.value': 7 })]],
  ['an object where a text is due', 'validation', [put(2, { 'text.value': { a: 1 } })]],
  ['bytes where a text is due', 'validation', [put(2, { slug: new Uint8Array([1]) })]],
  ['null where a number is due', 'validation', [put(2, { size: null })]],
  ['NaN', 'validation', [put(2, { size: Number.NaN })]],
  ['Infinity', 'validation', [put(2, { size: Number.POSITIVE_INFINITY })]],
  ['a number out of bounds', 'validation', [put(2, { size: 1e300 })]],
  ['a huge 64-bit integer', 'validation', [put(2, { size: 2n ** 70n })]],
  ['an update with a wrong type', 'validation', [update({ slug: 7 })]],
  ['an update of the key', 'validation', [update({ id: 2 })]],
  ['a row named twice', 'validation', [put(2), update({ slug: 'x' }, 2)]],
  ['a row put that is there', 'constraint', [put(1)]],
  ['a unique value that is taken', 'constraint', [put(2, { slug: 'one' })]],
  ['a reference to nothing', 'constraint', [put(2, { layerId: 'none' })]],
  ['a key of another type', 'validation', [{ table: 'note', key: 'x', op: 'put', after: {} }]],
  ['a key with too many parts', 'validation', [{ table: 'note', key: [1, 2], op: 'put', after: {} }]],
])('%s is refused with %s, whole, and the connection goes on', async (_name, code, changes) => {
  const before = await contentOf(core)
  expect(await bad.commit([put(50), ...changes])).toMatchObject({ type: 'refused', code })
  expect(await bad.commit([...changes, put(50)])).toMatchObject({ type: 'refused', code })
  expect(await contentOf(core)).toEqual(before)
  expect(await bad.commit([put(99)])).toMatchObject({ type: 'commits' })
  expect(await good.commit([put(98)])).toMatchObject({ type: 'commits' })
})

test('cells called __proto__ change nothing but cells', async () => {
  await bad.commit([
    put(
      2,
      Object.fromEntries<CellValue>([
        ['__proto__', { polluted: true }],
        ['__proto__.polluted', true],
      ]),
    ),
  ])
  await bad.commit([
    update(
      Object.fromEntries<CellValue>([
        ['__proto__.polluted', true],
        ['constructor.prototype.polluted', true],
      ]),
    ),
  ])
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  expect(await good.commit([put(98)])).toMatchObject({ type: 'commits' })
})

test('an update or delete of a row that is not there is acknowledged as nothing', async () => {
  for (const change of [update({ slug: 'x' }, 77), { table: 'note', key: 77, op: 'delete' } as const])
    expect(await bad.commit([change])).toMatchObject({ commits: [{ changes: [] }] })
  await good.settled()
  expect(good.commits.slice(1)).toEqual([{ changes: [] }, { changes: [] }])
})

test('a row that says another key than the one that it is put under is refused', async () => {
  expect(await bad.commit([put(2, { id: 3 })])).toMatchObject({ type: 'refused', code: 'validation' })
  expect(await contentOf(core)).not.toHaveProperty('note 2')
})

test('a transaction is applied once, however often it is sent, by whom, and in whatever company', async () => {
  const id = bad.transact([put(2)])
  await bad.verdict(id)
  const again = await RawClient.enter(core)
  expect(await again.commit([put(2)], { id })).toMatchObject({ type: 'known', id })
  again.post({
    type: 'transact',
    transactions: [
      { id: 'twice', changes: [put(3)] },
      { id: 'twice', changes: [put(3)] },
    ],
  })
  await again.settled()
  await again.find('known', (known) => known.id === 'twice')
  expect(again.commits.filter((commit) => commit.id === 'twice')).toHaveLength(1)
  expect(Object.keys(await contentOf(core))).toEqual(['note 1', 'note 2', 'note 3'])
})

test('a refused transaction stays refused, for the same reason, when it is sent again', async () => {
  const id = bad.transact([put(1)])
  const first = await bad.verdict(id)
  const again = await RawClient.enter(core)
  expect(await again.commit([put(1)], { id })).toMatchObject({ ...first, n: expect.any(Number) as number })
})

test('a transaction that is ifUnchanged conflicts with what was changed since', async () => {
  const change = { ...update({ size: 12 }), before: { size: 11 } }
  expect(await bad.commit([change], { ifUnchanged: true })).toMatchObject({ type: 'refused', code: 'conflict' })
  const right = { ...update({ size: 12 }), before: { size: 10 } }
  expect(await bad.commit([right], { ifUnchanged: true })).toMatchObject({ type: 'commits' })
})

test('a transaction conflicts where something that it has read is newer than its base, or its base is none', async () => {
  const base = bad.position
  const reads = [{ table: 'note', keys: [1] }]
  expect(await bad.commit([put(2)], { base, reads })).toMatchObject({ type: 'commits' })
  await good.commit([update({ size: 12 })])
  for (const stale of [base, 'forged', ''])
    expect(await bad.commit([put(3)], { base: stale, reads })).toMatchObject({ type: 'refused', code: 'conflict' })
  expect(await bad.commit([put(3)], { reads })).toMatchObject({ type: 'refused', code: 'conflict' })
  expect(await bad.commit([put(3)], { base: bad.position, reads })).toMatchObject({ type: 'commits' })
})

test('what is told of one’s own transaction is left out where it is exactly what was sent', async () => {
  expect(await bad.commit([put(2, { slug: 'two' })])).toMatchObject({ commits: [{ id: expect.any(String) as string }] })
  expect(bad.commits.at(-1)).not.toHaveProperty('changes')
  await bad.commit([put(3, { size: 10 })])
  expect(bad.commits.at(-1)!.changes).toEqual([{ table: 'note', key: 3, op: 'put', after: { id: 3 } }])
})

test('a reason that is too long for a message is cut, so that the client takes it', async () => {
  const refused = new Promise<string>((resolve, reject) => {
    const client = core.accept(
      { send: (text) => (text.includes('"refused"') ? resolve(text) : undefined), buffered: 0, close: reject },
      { url: '/', headers: new Map() },
    )
    client.receive(formatMessage({ n: 0, ...helloMessage }))
    const after = { id: 2, [`text.${'x'.repeat(150_000)}`]: Number.NaN }
    const changes = [{ table: 'note', key: 2, op: 'put' as const, after }]
    client.receive(formatMessage({ n: 1, type: 'transact', transactions: [{ id: 'long', changes }] }))
  })
  const text = await refused
  expect(() => parseServerMessage(text)).not.toThrow()
})
