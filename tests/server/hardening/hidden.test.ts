import { defineSchema, SchemaError } from 'rowcast'
import { createServer, memoryStorage, type Permissions } from 'rowcast/server'
import { expect, test } from 'vitest'
import { MAX_DEPTH } from '../../../src/transport/index.ts'
import { startServer } from '../http/support.ts'

const text = { type: 'string' }
const all = { canView: true, canCreate: true, canUpdate: true, canDelete: true }
const own = { canView: { owner: '$user.id' }, canCreate: true, canUpdate: true, canDelete: false }

function schemaOf(onDelete: 'cascade' | 'setNull' | 'restrict'): ReturnType<typeof defineSchema> {
  const table = (properties: object, more: object, rules: object = {}): object => ({
    primaryKey: 'id',
    ...more,
    schema: { type: 'object', required: ['id'], ...rules, properties: { id: text, ...properties } },
  })
  return defineSchema({
    version: 1,
    tables: {
      team: table({}, {}),
      note: table(
        {
          owner: text,
          team: text,
          kind: text,
          secret: text,
          rank: { type: 'integer', default: 0 },
          style: { type: 'object' },
        },
        { restricted: ['secret'], references: { team: { table: 'team', onDelete } } },
        {
          if: { properties: { kind: { const: 'k' } }, required: ['kind'] },
          then: { required: ['team'] },
        },
      ),
    },
  } as never)
}

function serve(onDelete: 'cascade' | 'setNull' | 'restrict', note: Permissions[string] = own) {
  const { ask, server } = startServer({
    schema: schemaOf(onDelete) as never,
    permissions: { team: all, note },
    authenticate: ({ token }) => (token === undefined ? undefined : { id: token, admin: token === 'root' }),
  })
  const post = async (user: string, ...changes: readonly object[]): Promise<readonly [number, string | undefined]> => {
    const { status, body } = await ask(
      'POST /v1/databases/a/transactions',
      { changes },
      { authorization: `Bearer ${user}` },
    )
    return [status, body.error?.reason]
  }
  return server.databases.create('a').then(() => post)
}

const put = (table: string, key: string, after: object = {}): object => ({ table, key, op: 'put', after })
const remove = (table: string, key: string): object => ({ table, key, op: 'delete' })
const forbidden = [403, 'the permissions do not allow this transaction'] as const

test.each([
  ['cascade', {}, [200, undefined]],
  ['setNull', {}, [200, undefined]],
  ['setNull', { kind: 'k' }, [422, 'a row would not be as the schema has it']],
  ['restrict', {}, [422, 'a unique value, key or reference stands against it']],
] as const)('a delete that reaches a hidden row by %s (%j) names nothing of it', async (onDelete, more, answer) => {
  const post = await serve(onDelete)
  await post('ann', put('team', 't'))
  await post('bob', put('note', 'bobs', { owner: 'bob', team: 't', ...more }))
  expect(await post('ann', remove('team', 't'))).toEqual(answer)
})

test('what is against a transaction by what it says alone is told, whether a row of that key is hidden or not there', async () => {
  const deep = JSON.parse(`${'{"a":'.repeat(MAX_DEPTH - 10)}1${'}'.repeat(MAX_DEPTH - 10)}`) as object
  const update = (after: object): object => ({ table: 'note', key: 'x', op: 'update', after })
  const unfit: readonly (readonly object[])[] = [
    [put('note', 'x'), put('note', 'x')],
    [remove('note', 'x'), put('note', 'x')],
    [update({ rank: 1 }), update({ rank: 2 })],
    [put('note', 'x', { id: 'y' })],
    [put('note', 'x'), put('note', 'other', { id: 'y' })],
    [put('note', 'x', { style: deep })],
    [update({ style: deep })],
    [update({ id: 'y' })],
    [put('note', 'x'), { table: 'nothing', key: 'x', op: 'delete' }],
  ]
  const [without, hidden] = [await serve('cascade'), await serve('cascade')]
  await hidden('bob', put('note', 'x', { owner: 'bob' }))
  for (const changes of unfit) {
    const answer = await without('ann', ...changes)
    expect(answer[0]).not.toBe(200)
    expect(await hidden('ann', ...changes), JSON.stringify(changes).slice(0, 200)).toEqual(answer)
  }
})

test.each(['cascade', 'setNull'] as const)('what goes by %s has to be allowed where it is seen', async (onDelete) => {
  const post = await serve(onDelete, { ...own, canUpdate: false })
  await post('ann', put('team', 't'), put('note', 'n', { owner: 'ann', team: 't' }))
  expect(await post('ann', remove('team', 't'))).toEqual(forbidden)
})

test('what is against rows that are seen whole is told, though others would not be valid either', async () => {
  const post = await serve('setNull')
  await post('ann', put('team', 't'))
  await post('ann', put('note', 'anns', { owner: 'ann', team: 't', kind: 'k' }))
  await post('bob', put('note', 'bobs', { owner: 'bob', team: 't', kind: 'k' }))
  const [status, reason] = await post('ann', remove('team', 't'))
  expect([status, reason]).toEqual([422, expect.stringContaining('anns')])
  expect(reason).not.toContain('bobs')
})

const fields = (rules: NonNullable<Permissions[string]['fields']>) => serve('cascade', { ...all, fields: rules })

test('a field has a rule for new rows, which is that of canUpdate where none is given', async () => {
  const post = await fields({
    rank: { canUpdate: false },
    kind: { canUpdate: false, canCreate: { owner: '$user.id' } },
  })
  expect(await post('ann', put('note', 'a', { rank: 9 }))).toEqual(forbidden)
  expect(await post('ann', put('note', 'a', { rank: 0, owner: 'bob' }))).toEqual([200, undefined])
  expect(await post('ann', put('note', 'b', { owner: 'bob', kind: 'x' }))).toEqual(forbidden)
  expect(await post('ann', put('note', 'b', { owner: 'ann', kind: 'x' }))).toEqual([200, undefined])
  expect(await post('ann', remove('note', 'a'))).toEqual([200, undefined])
  expect(await post('ann', put('note', 'a', { rank: 9 }))).toEqual(forbidden)
})

test('a field that may not be seen may be put where a rule says so, and nowhere else', async () => {
  for (const [rules, status] of [
    [{ canView: false }, 403],
    [{ canView: { owner: '$user.id' } }, 403],
    [{ canView: false, canCreate: true, canUpdate: false }, 200],
    [{ canView: false, canUpdate: true }, 200],
    [{ canView: false, canCreate: false, canUpdate: true }, 403],
  ] as const) {
    const post = await fields({ secret: rules })
    expect((await post('ann', put('note', 'a', { owner: 'bob', secret: 'x' })))[0]).toBe(status)
    expect((await post('ann', put('note', 'b', { owner: 'bob' })))[0]).toBe(200)
  }
})

test('a rule within a value holds for what is put with the whole, and one of the key for canCreate only', async () => {
  const post = await fields({ 'style.color': { canUpdate: false }, id: { canUpdate: false } })
  expect(await post('ann', put('note', 'a', { style: { color: 'red' } }))).toEqual(forbidden)
  expect(await post('ann', put('note', 'a', { style: { width: 1 } }))).toEqual([200, undefined])
})

test('a rule that is misspelt is refused at the start', () => {
  const permissions = { note: { ...all, fields: { rank: { canCreat: true } } } } as Permissions
  expect(() => createServer({ schema: schemaOf('cascade'), storage: memoryStorage(), permissions })).toThrow(
    SchemaError,
  )
})
