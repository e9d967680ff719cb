import { memoryLogStorage, memorySnapshotStorage, type LogStorage } from 'rowcast/server'
import { describe, expect, test } from 'vitest'
import { arrivedError, carryError } from '../../src/server/beside/carried-error.ts'
import { LogMovedError } from '../../src/server/log-errors.ts'
import { putNote, startServer, type TestServer } from './http/support.ts'

/** A server whose logs go to another one when they are opened, once they are to. */
function start(): TestServer & { readonly move: () => void } {
  const logs = memoryLogStorage()
  let hasMoved = false
  const assertHere = (): void => {
    if (hasMoved) throw new LogMovedError('log at s3://bucket/shards/0000', 'http://other.test')
  }
  const moving: LogStorage = {
    open: async (...args) => {
      assertHere()
      return logs.open(...args)
    },
    list: () => logs.list(),
    delete: async (name) => {
      assertHere()
      return logs.delete(name)
    },
  }
  const started = startServer({ storage: { logs: moving, snapshots: memorySnapshotStorage() } })
  return { ...started, move: () => (hasMoved = true) }
}

describe('a log that another server has by now', () => {
  test.each([
    ['opened', 'POST /v1/databases/a/transactions', putNote('one')],
    ['made', 'PUT /v1/databases/a', undefined],
    ['deleted', 'DELETE /v1/databases/a', undefined],
  ])('is no failure where its database is to be %s: whoever asks is to ask again', async (_what, line, body) => {
    const { ask, errors, move } = start()
    if (!line.startsWith('PUT')) await ask('PUT /v1/databases/a')
    move()
    const { status, body: told } = await ask(line, body)
    expect(status).toBe(503)
    expect(told.error).toEqual({ code: 'unavailable', reason: expect.any(String) })
    expect(errors).toEqual([])
  })

  test('is the same where a thread finds it', () => {
    const arrived = arrivedError(carryError(new LogMovedError("log of 'a'", 'http://other.test')))
    expect(arrived).toBeInstanceOf(LogMovedError)
    expect(arrived).toMatchObject({ log: "log of 'a'", url: 'http://other.test', message: expect.any(String) })
    const nowhere = arrivedError(carryError(new LogMovedError("log of 'a'", undefined)))
    expect(nowhere).toMatchObject({ log: "log of 'a'", url: undefined })
  })
})
