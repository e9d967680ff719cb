import {
  memoryLogStorage,
  memorySnapshotStorage,
  ServerCore,
  type LogStorage,
  type ServerOptions,
} from 'rowcast/server'
import { describe, expect, onTestFinished, test } from 'vitest'
import { arrivedError, carryError } from '../../src/server/beside/carried-error.ts'
import { LogMovedError } from '../../src/server/log-errors.ts'
import { sceneSchema } from '../support/sync-world.ts'
import { putNote, startServer } from './http/support.ts'
import { RawClient } from './session/raw-client.ts'

/** Logs that go to another server, once they are to. */
function movingStorage(): { readonly storage: ServerOptions['storage']; readonly move: () => void } {
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
  return { storage: { logs: moving, snapshots: memorySnapshotStorage() }, move: () => (hasMoved = true) }
}

describe('a log that another server has by now', () => {
  test.each([
    ['opened', 'POST /v1/databases/a/transactions', putNote('one')],
    ['made', 'PUT /v1/databases/a', undefined],
    ['deleted', 'DELETE /v1/databases/a', undefined],
  ])('is no failure where its database is to be %s: whoever asks is to ask again', async (_what, line, body) => {
    const { storage, move } = movingStorage()
    const { ask, errors } = startServer({ storage })
    if (!line.startsWith('PUT')) await ask('PUT /v1/databases/a')
    move()
    const { status, body: told } = await ask(line, body)
    expect(status).toBe(503)
    expect(told.error?.code).toBe('unavailable')
    expect(errors).toEqual([])
  })

  test('is no failure of a server that is being closed, and its databases are closed with it', async () => {
    const errors: unknown[] = []
    const logs = memoryLogStorage()
    let open = 0
    const lost: ((isLost: () => boolean, url: string) => void)[] = []
    const storage: ServerOptions['storage'] = {
      snapshots: memorySnapshotStorage(),
      logs: {
        open: async (...args) => {
          const log = await logs.open(...args)
          open++
          const close = async (): Promise<void> => {
            // Its database is lost while it is closed.
            for (const tell of lost) tell(() => true, 'http://other.test')
            await log.close()
            open--
          }
          return new Proxy(log, {
            get: (target, key) => {
              if (key === 'close') return close
              const value: unknown = Reflect.get(target, key)
              return typeof value === 'function' ? (value.bind(target) as unknown) : value
            },
          })
        },
        list: () => logs.list(),
        delete: (name) => logs.delete(name),
        placement: {
          node: 'this',
          elsewhere: () => Promise.resolve(undefined),
          watch: (watcher) => lost.push(watcher),
          leave: () => Promise.resolve(),
        },
      },
    }
    const core = new ServerCore({
      schema: sceneSchema,
      storage,
      secret: 'test',
      onError: (error) => errors.push(error),
    })
    for (const name of ['one', 'two', 'three']) {
      await core.databases.create(name)
      const { release } = await core.databases.use(name)
      release()
    }
    await core.close()
    expect(errors).toEqual([])
    expect(open).toBe(0)
  })

  test('is no failure where someone connects, who is told nothing of where the log is', async () => {
    const errors: unknown[] = []
    const { storage, move } = movingStorage()
    const core = new ServerCore({ schema: sceneSchema, storage, onError: (error) => errors.push(error) })
    onTestFinished(() => core.close())
    await core.databases.create('scene')
    move()
    const client = new RawClient(core)
    client.hello()
    const closing = await client.next('closing')
    expect(closing).toMatchObject({ code: 'shutting-down', retryAfterMs: 500 })
    expect(closing.reason).not.toContain('s3://')
    expect(errors).toEqual([])
  })

  test('is the same where a thread finds it', () => {
    const arrived = arrivedError(carryError(new LogMovedError("log of 'a'", 'http://other.test')))
    expect(arrived).toBeInstanceOf(LogMovedError)
    expect(arrived).toMatchObject({ log: "log of 'a'", url: 'http://other.test', code: 'moved' })
    const nowhere = arrivedError(carryError(new LogMovedError("log of 'a'", undefined)))
    expect(nowhere).toMatchObject({ log: "log of 'a'", url: undefined })
  })
})
