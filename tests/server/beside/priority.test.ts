import { readdirSync, readFileSync } from 'node:fs'
import { getPriority } from 'node:os'
import { createStore } from 'rowcast'
import { nodeSqliteDriver } from 'rowcast/node'
import { memoryLogStorage, memorySnapshotStorage } from 'rowcast/server'
import { expect, test } from 'vitest'
import { Beside } from '../../../src/server/beside/index.ts'
import { sceneSchema } from '../../support/sync-world.ts'

/** By thread of this process, as proc(5) has it. */
function niceness(): number[] {
  return readdirSync('/proc/self/task').map((thread) => {
    const fields = readFileSync(`/proc/self/task/${thread}/stat`, 'utf8').split(') ')[1]!.split(' ')
    return Number(fields[16])
  })
}

test.skipIf(process.platform !== 'linux')(
  'what is done on a thread goes after what the process itself does',
  async () => {
    const before = getPriority()
    const store = await createStore({ schema: sceneSchema, driver: nodeSqliteDriver() })
    const file = store.export()
    await store.close()
    const beside = new Beside(sceneSchema, 'linear')
    const log = await memoryLogStorage().open('scene', { create: true })
    const work = { kind: 'create', database: 'scene', scratch: undefined, file, incarnation: 'one' } as const
    await beside.run(work, { log, snapshots: memorySnapshotStorage() }, { thread: true })
    expect(Math.max(...niceness())).toBe(Math.min(19, Math.max(10, before)))
    expect(getPriority()).toBe(before)
    await beside.close()
  },
)
