import { createStore, defineSchema } from 'rowcast'
import { createMirror, cssColor, type DirtyRange, type FrameScheduler } from 'rowcast/webgl'

/** A table with what a mirror meets: defaults, an optional object with defaults, null, arrays, text, a composite key. */
const schema = defineSchema({
  version: 1,
  tables: {
    pin: {
      primaryKey: ['board', 'id'],
      schema: {
        type: 'object',
        required: ['board', 'id'],
        additionalProperties: false,
        properties: {
          board: { type: 'string' },
          id: { type: 'integer' },
          x: { type: 'number' },
          y: { type: 'number', default: 7 },
          rank: { type: ['number', 'null'], default: 3 },
          hidden: { type: 'boolean', default: false },
          color: { type: 'string', default: '#102030' },
          points: { type: 'array', items: { type: 'number' } },
          leader: {
            type: 'object',
            required: ['dashed'],
            properties: { width: { type: 'number', default: 2 }, dashed: { type: 'boolean' } },
          },
          note: { type: 'string' },
        },
      },
    },
  },
})

export const openPins = () => createStore({ schema })
export type PinStore = Awaited<ReturnType<typeof openPins>>

/** Frames that come when a test says so. */
export function manualFrames(): {
  readonly scheduler: FrameScheduler
  readonly waiting: () => number
  readonly draw: () => void
} {
  let runs: (() => void)[] = []
  return {
    scheduler: (run) => {
      runs.push(run)
      return () => {
        runs = runs.filter((other) => other !== run)
      }
    },
    waiting: () => runs.length,
    draw: () => {
      const due = runs
      runs = []
      for (const run of due) run()
    },
  }
}

const pinAttributes = {
  position: { paths: ['x', 'y'], type: 'f32' },
  rank: { paths: ['rank'], type: 'i16', fallback: -1 },
  flags: { paths: ['hidden', 'leader.dashed'], type: 'u8' },
  color: { paths: ['color'], type: 'u8n', size: 4, map: cssColor },
  points: { paths: ['points'], type: 'f32', size: 2 },
  second: { paths: [['points', 1]], type: 'f32' },
  leader: { paths: ['leader.width'], type: 'f32' },
  area: {
    paths: ['leader.width', 'y', 'points.0'],
    type: 'f32',
    size: 1,
    map: (...parts: unknown[]) => parts.reduce((sum: number, part) => sum * 10 + Number(part ?? 5), 0),
  },
} as const

export const mirrorPins = (
  store: PinStore,
  scheduler: FrameScheduler,
  where?: { readonly rank: { readonly gt: number } },
) => createMirror(store, 'pin', { attributes: pinAttributes, where, scheduler })

type Numbers = { readonly length: number; readonly [at: number]: number }

/** Buffers that learn of a mirror's arrays only by their dirty ranges, as a GPU does. */
export class FakeGpu {
  buffers: Record<string, number[]> = {}

  take(arrays: { readonly [name: string]: Numbers }, dirty: { readonly resized: boolean }): void {
    if (dirty.resized)
      this.buffers = Object.fromEntries(
        Object.entries(arrays).map(([name, { length }]) => [name, Array<number>(length).fill(NaN)]),
      )
    for (const [name, ranges] of Object.entries<boolean | readonly DirtyRange[]>({ ...dirty })) {
      if (typeof ranges === 'boolean') continue
      for (const [from, to] of ranges) {
        for (let at = from; at < to; at++) this.buffers[name]![at] = arrays[name]![at]!
      }
    }
  }
}
