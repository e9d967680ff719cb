import { memoryLogStorage, memorySnapshotStorage, type Log, type LogStorage } from 'rowcast/server'
import { describe, expect, test } from 'vitest'
import { putNote, startServer } from './http/support.ts'

/** Logs that several servers may append to, of which each sees where they end before it tells anything. */
function provingLogs(): LogStorage {
  const logs = memoryLogStorage()
  const proving = (log: Log): Log => ({
    bounds: () => log.bounds(),
    append: (...args) => log.append(...args),
    read: (...args) => log.read(...args),
    bytes: (...args) => log.bytes(...args),
    trim: (before) => log.trim(before),
    close: () => log.close(),
    prove: async () => (await log.bounds()).last,
  })
  return {
    open: async (...args) => proving(await logs.open(...args)),
    list: () => logs.list(),
    delete: (name) => logs.delete(name),
  }
}

describe('a server that another one had its log from in between', () => {
  const path = '/v1/databases/a'

  async function prepare(): Promise<ReturnType<typeof startServer>> {
    const storage = { logs: provingLogs(), snapshots: memorySnapshotStorage() }
    const [one, other] = [startServer({ storage }), startServer({ storage })]
    await one.ask(`PUT ${path}`)
    expect((await one.ask(`POST ${path}/transactions`, { id: '1', ...putNote('one') })).status).toBe(200)
    expect((await other.ask(`POST ${path}/transactions`, { id: '2', ...putNote('two') })).status).toBe(200)
    return one
  }

  test('tells the newest state', async () => {
    const { send } = await prepare()
    const exported = await send(`GET ${path}/export`)
    expect(exported.headers.get('rowcast-sequence')).toBe('3')
  })

  test('knows what went in there, though it appends nothing for it', async () => {
    const { ask } = await prepare()
    expect(await ask(`POST ${path}/transactions`, { id: '2', ...putNote('two') })).toMatchObject({
      status: 200,
      body: { sequence: 3 },
    })
    const { body } = await ask(`GET ${path}/history`)
    expect(body['entries']).toHaveLength(3)
  })
})
