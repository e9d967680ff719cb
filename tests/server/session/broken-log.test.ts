import { firstValueFrom } from 'rxjs'
import { filter } from 'rxjs/operators'
import { memoryLogStorage, memorySnapshotStorage, ServerCore, type LogStorage } from 'rowcast/server'
import { expect, test } from 'vitest'
import { openScene, sceneSchema, settled } from '../../support/sync-world.ts'

/** The logs of another server; the next reading of one ends after so many entries, once. */
function breaking(logs: LogStorage): { readonly logs: LogStorage; breakAfter: number } {
  const broken = {
    breakAfter: Infinity,
    logs: {
      list: () => logs.list(),
      delete: (database: string) => logs.delete(database),
      open: async (...args: Parameters<LogStorage['open']>) => {
        const log = await logs.open(...args)
        return {
          bounds: () => log.bounds(),
          append: (...entries: Parameters<typeof log.append>) => log.append(...entries),
          bytes: (from: number, to: number) => log.bytes(from, to),
          trim: (before: number) => log.trim(before),
          close: () => log.close(),
          async *read(...from: Parameters<typeof log.read>) {
            let left = broken.breakAfter
            for await (const entry of log.read(...from)) {
              if (left-- <= 0) {
                broken.breakAfter = Infinity
                throw new Error('the network is gone')
              }
              yield entry
            }
          },
        }
      },
    } satisfies LogStorage,
  }
  return broken
}

test('what a server has read of the log before the reading failed is told to everyone', async () => {
  const [logs, snapshots] = [memoryLogStorage(), memorySnapshotStorage()]
  const broken = breaking(logs)
  const errors: unknown[] = []
  const serve = (storage: LogStorage): ServerCore =>
    new ServerCore({
      schema: sceneSchema,
      secret: 'test',
      storage: { logs: storage, snapshots },
      onError: (error) => void errors.push(error),
    })
  const one = serve(broken.logs)
  await one.databases.create('scene')
  const two = serve(logs)
  const [ann, bob, cid] = [await openScene(one), await openScene(two), await openScene(one)]
  const insert = async (store: typeof ann, id: string): Promise<void> => {
    store.table('layer').insert({ id })
    await settled(store)
  }
  await Promise.all([settled(ann), settled(bob), settled(cid)])
  await insert(bob, 'b1')
  await insert(bob, 'b2')
  broken.breakAfter = 1
  const last = firstValueFrom(cid.changes$.pipe(filter(() => cid.table('layer').has('a2'))))
  await insert(ann, 'a1')
  await insert(ann, 'a2')
  await last
  expect(errors.map(String)).toEqual(['Error: the network is gone'])
  for (const store of [ann, cid]) expect(store.table('layer').keys()).toEqual(['a1', 'a2', 'b1', 'b2'])
  await Promise.all([ann.close(), bob.close(), cid.close()])
  await Promise.all([one.close(), two.close()])
})
