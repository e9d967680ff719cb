import { expect, onTestFinished, test } from 'vitest'
import { defineSchema } from 'rowcast'
import type { WireChange } from 'rowcast/transport'
import { startServer } from '../http/support.ts'
import { openServer } from '../../support/sync-world.ts'
import { RawClient } from './raw-client.ts'

const table = (primaryKey: string | readonly string[], id: object): object => ({
  primaryKey,
  schema: { type: 'object', required: ['id'], properties: { id, part: { type: 'number' } } },
})
const schema = defineSchema({
  version: 1,
  tables: {
    text: table('id', { type: 'string' }),
    whole: table('id', { type: 'integer' }),
    number: table('id', { type: 'number' }),
    long: table('id', { type: 'integer', format: 'int64' }),
    union: table('id', { type: ['string', 'number'] }),
    pair: {
      primaryKey: ['id', 'part'],
      schema: {
        type: 'object',
        required: ['id', 'part'],
        properties: { id: { type: 'string' }, part: { type: 'number' } },
      },
    },
    only: { singleton: true, schema: { type: 'object', properties: { size: { type: 'number' } } } },
  },
} as never)

/** Keys by table, as JSON: those that have its form, and those that have not. */
const forms: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  [
    'text',
    ['"a"', '"5"'],
    ['5', 'true', '["a","b"]', '["a"]', '{"$bigint":"5"}', '"a\\u0000b"', '"\\ud800"', '"\\ufeffa"'],
  ],
  ['whole', ['5', '-7'], ['"5"', 'true', '1.5', '-0', '9007199254740993', '[5]', '{"$bigint":"5"}']],
  ['number', ['5', '1.5'], ['"5"', 'false', '-0', '[1.5]', '{"$bigint":"5"}']],
  ['long', ['{"$bigint":"5"}'], ['5', '"5"', '{"$bigint":"9999999999999999999"}', '[{"$bigint":"5"}]']],
  ['union', ['"a"', '5'], ['true', '{"$bigint":"5"}', '["a"]']],
  ['pair', ['["a",1]'], ['"a"', '["a"]', '["a","1"]', '[1,"a"]', '["a",1,1]']],
  ['only', ['1'], ['2', '"1"', 'true', '[1]', '{"$bigint":"1"}']],
]
const wrong = forms.flatMap(([name, , keys]) => keys.map((key) => [name, key] as const))

test.each(wrong)('in %s the key %s is refused: put, updated, deleted and read', async (name, key) => {
  const core = await openServer({ schema })
  onTestFinished(() => core.close())
  const client = await RawClient.enter(core)
  let n = 0
  const verdict = (rest: string): Promise<unknown> => {
    const id = `t${++n}`
    client.raw(`{"n":${client.posted},"type":"transact","transactions":[{"id":"${id}",${rest}}]}`)
    client.count()
    return client.verdict(id)
  }
  for (const op of ['put', 'update', 'delete']) {
    const after = op === 'delete' ? '' : ',"after":{}'
    const change = `{"table":"${name}","key":${key},"op":"${op}"${after}}`
    expect(await verdict(`"changes":[${change}]`)).toMatchObject({ type: 'refused', code: 'validation' })
  }
  const read = `"changes":[],"base":${JSON.stringify(client.position)},"reads":[{"table":"${name}","keys":[${key}]}]`
  expect(await verdict(read)).toMatchObject({ type: 'refused', code: 'validation' })
  const { server, errors } = startServer({ schema })
  const ask = (method: string, path: string, body?: string): Promise<Response> =>
    server.fetch(new Request(`http://localhost/v1/databases/a${path}`, { method, ...(body !== undefined && { body }) }))
  await ask('PUT', '')
  const body = `{"changes":[{"table":"${name}","key":${key},"op":"put","after":{}}]}`
  expect((await ask('POST', '/transactions', body)).status).toBe(422)
  expect(errors).toEqual([])
})

test('keys of their table are taken', async () => {
  const core = await openServer({ schema })
  onTestFinished(() => core.close())
  const client = await RawClient.enter(core)
  for (const [name, keys] of forms)
    for (const text of keys) {
      const [key] = JSON.parse(`[${text.replace(/\{"\$bigint":"(\d+)"\}/, '"$1n"')}]`) as [unknown]
      const value = key === '5n' ? 5n : key
      const change = { table: name, key: value, op: name === 'only' ? 'update' : 'put', after: {} } as WireChange
      expect(await client.commit([change])).toMatchObject({ type: 'commits' })
    }
})
