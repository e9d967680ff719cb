import { setImmediate as immediate } from 'node:timers/promises'
import { createStore, defineSchema, type Schema } from 'rowcast'
import { nodeSqliteDriver } from 'rowcast/node'
import type { ServerCore } from 'rowcast/server'
import type { WireChange } from 'rowcast/transport'
import type { Body, TestServer } from '../http/support.ts'
import { RawClient } from '../session/raw-client.ts'

/** Rows whose `tree` takes any JSON, and whose `size` is a bigint. */
export const treeSchema: Schema = defineSchema({
  version: 1,
  tables: {
    group: {
      primaryKey: 'id',
      schema: { type: 'object', required: ['id'], properties: { id: { type: 'string' } } },
    },
    item: {
      primaryKey: 'id',
      references: { groupId: { table: 'group' } },
      schema: {
        type: 'object',
        required: ['id'],
        properties: {
          id: { type: 'string' },
          groupId: { type: 'string' },
          size: { type: 'integer', format: 'int64' },
          level: { type: 'integer', minimum: 0 },
          tree: { type: 'array' },
        },
      },
    },
  },
})

/** Lists in lists, as JSON. */
export function nested(depth: number): string {
  return '['.repeat(depth) + ']'.repeat(depth)
}

export function putItem(id: string, after: WireChange['after'] = {}): WireChange {
  return { table: 'item', key: id, op: 'put', after: { id, ...after } }
}

/** The body of a transaction that puts an item whose tree is so deep. */
export function deepTransaction(id: string, depth: number): string {
  return `{"changes":[{"table":"item","key":"${id}","op":"put","after":{"id":"${id}","tree":${nested(depth)}}}]}`
}

/** A good file of one group and one item, then changed by hand as its maker would never have. */
export async function forgeFile(sql: string): Promise<Uint8Array<ArrayBuffer>> {
  const store = await createStore({ schema: treeSchema, driver: nodeSqliteDriver() })
  store.transaction(() => {
    store.table('group').insert({ id: 'g' } as never)
    store.table('item').insert({ id: 'i', groupId: 'g', tree: [1] } as never)
  })
  const driver = await nodeSqliteDriver().open(store.export())
  await store.close()
  try {
    driver.exec(`PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON; ${sql}`)
    return new Uint8Array(driver.serialize())
  } finally {
    driver.close()
  }
}

/** A call's status and the code of its error. */
export function outcomeOf({ status, body }: { readonly status: number; readonly body: Body }): unknown[] {
  return [status, body.error?.code]
}

/** Waits until each of these clients was told of a change that one more makes. */
export async function expectLive(
  core: Pick<ServerCore, 'accept'>,
  clients: readonly RawClient[],
  change: WireChange,
): Promise<void> {
  const writer = await RawClient.enter(core)
  await writer.commit([change], { id: crypto.randomUUID() })
  for (const client of clients)
    await client.find('commits', ({ commits }) =>
      commits.some(({ changes }) => changes?.some(({ table, key }) => table === change.table && key === change.key)),
    )
  writer.leave()
}

/** Lets what came in be handled to the point where it waits for nothing but the network. */
export async function handled(core: ServerCore, database = 'scene'): Promise<void> {
  await immediate()
  const lease = await core.databases.use(database)
  await lease.database.run(() => undefined)
  lease.release()
}

/** Makes the database that raw clients enter. */
export async function makeScene({ ask }: TestServer): Promise<void> {
  await ask('PUT /v1/databases/scene')
}
