import { createStore, defineSchema } from 'rowcast'
import { createMirror } from 'rowcast/webgl'
import { expect, test } from 'vitest'
import { HIDDEN } from '../../src/changes/index.ts'
import { internals, PendingLayers, type Arrival } from '../../src/store/index.ts'
import { manualFrames } from './pins.ts'

const schema = defineSchema({
  version: 1,
  tables: {
    pin: {
      primaryKey: 'id',
      restricted: ['x'],
      schema: {
        type: 'object',
        required: ['id'],
        properties: { id: { type: 'integer' }, x: { type: 'number', default: 7 } },
      },
    },
  },
})

test('a mirror never shows the default of what is hidden', async () => {
  const store = await createStore({ schema })
  const base = new PendingLayers(internals(store as never).engine)
  const arrive = (op: Arrival['op'], key: number, after: Arrival['after']): void =>
    base.arrive([{ table: 'pin', key, op, after }])
  arrive('put', 1, { id: 1, x: HIDDEN })
  const frames = manualFrames()
  const mirror = createMirror(store, 'pin', {
    attributes: { x: { paths: ['x'], type: 'f32', fallback: -1 } },
    scheduler: frames.scheduler,
  })
  const shown = (): number[] => [...mirror.arrays.x.subarray(0, mirror.count)]
  expect(shown()).toEqual([-1])
  arrive('put', 2, { id: 2, x: HIDDEN })
  arrive('put', 3, { id: 3 })
  frames.draw()
  expect(shown()).toEqual([-1, -1, 7])
  arrive('update', 3, { x: HIDDEN })
  arrive('update', 1, { x: undefined })
  frames.draw()
  expect(shown()).toEqual([7, -1, -1])
  mirror.close()
  await store.close()
})
