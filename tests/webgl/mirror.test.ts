import { NotFoundError, RowcastError } from 'rowcast'
import { createMirror } from 'rowcast/webgl'
import { config } from 'rxjs'
import { afterEach, expect, test, vi } from 'vitest'
import { manualFrames, mirrorPins, openPins } from './pins.ts'

afterEach(() => {
  config.onUnhandledError = null
})

test('values become numbers: defaults, booleans, null, arrays, optional objects', async () => {
  const store = await openPins()
  const pins = store.table('pin')
  pins.insert([
    { board: 'a', id: 1, x: 1 },
    {
      board: 'a',
      id: 2,
      x: 2,
      y: 3,
      rank: null,
      hidden: true,
      color: '#fff',
      points: [5, 6],
      leader: { dashed: true },
    },
  ])
  const { arrays, count } = mirrorPins(store, manualFrames().scheduler)
  expect(count).toBe(2)
  expect([...arrays.position.subarray(0, 4)]).toEqual([1, 7, 2, 3])
  expect([...arrays.rank.subarray(0, 2)]).toEqual([3, -1])
  expect([...arrays.flags.subarray(0, 4)]).toEqual([0, 0, 1, 1])
  expect([...arrays.color.subarray(0, 8)]).toEqual([16, 32, 48, 255, 255, 255, 255, 255])
  expect([...arrays.points.subarray(0, 4)]).toEqual([0, 0, 5, 6])
  expect([...arrays.second.subarray(0, 2)]).toEqual([0, 6])
  expect([...arrays.leader.subarray(0, 2)]).toEqual([0, 2])
  expect([...arrays.area.subarray(0, 2)]).toEqual([575, 235])
})

test('whole numbers are rounded and clamped to their type', async () => {
  const store = await openPins()
  store.table('pin').insert([
    { board: 'a', id: 1, x: 300.4, y: -2 },
    { board: 'a', id: 2, x: 1.6 },
  ])
  const mirror = createMirror(store, 'pin', { attributes: { byte: { paths: ['x', 'y'], type: 'u8' } } })
  expect([...mirror.arrays.byte.subarray(0, 4)]).toEqual([255, 0, 2, 7])
})

test('an update touches the attributes that read it, and nothing else', async () => {
  const store = await openPins()
  const pins = store.table('pin')
  pins.insert(Array.from({ length: 10 }, (_, id) => ({ board: 'a', id })))
  const mirror = mirrorPins(store, manualFrames().scheduler)
  mirror.takeDirty()
  pins.set(['a', 4], 'x', 9)
  expect(mirror.takeDirty()).toEqual({ resized: false, position: [[8, 10]] })
  pins.set(['a', 4], 'note', 'not mirrored')
  expect(mirror.takeDirty()).toEqual({ resized: false })
})

test('an optional object brings its defaults along, and takes them away', async () => {
  const store = await openPins()
  const pins = store.table('pin')
  pins.insert({ board: 'a', id: 1 })
  const mirror = mirrorPins(store, manualFrames().scheduler)
  expect(mirror.arrays.leader[0]).toBe(0)
  pins.update(['a', 1], { leader: { dashed: true } })
  expect(pins.get(['a', 1])?.leader?.width).toBe(2)
  expect(mirror.arrays.leader[0]).toBe(2)
  pins.update(['a', 1], { leader: undefined })
  expect(mirror.arrays.leader[0]).toBe(0)
})

test('a path that no attribute reads costs no read of the row', async () => {
  const store = await openPins()
  const pins = store.table('pin')
  pins.insert({ board: 'a', id: 1 })
  const map = vi.fn<() => number>(() => 1)
  const mirror = createMirror(store, 'pin', { attributes: { color: { paths: ['color'], type: 'f32', map } } })
  expect(map).toHaveBeenCalledTimes(1)
  pins.set(['a', 1], 'x', 1)
  expect(map).toHaveBeenCalledTimes(1)
  pins.set(['a', 1], 'color', '#000')
  expect(map.mock.lastCall).toEqual(['#000'])
  pins.reset(['a', 1], 'color')
  expect(map.mock.lastCall).toEqual(['#102030'])
  mirror.close()
  pins.set(['a', 1], 'color', '#111')
  expect(map).toHaveBeenCalledTimes(3)
})

test('a deleted row gives its slot to the last one', async () => {
  const store = await openPins()
  const pins = store.table('pin')
  pins.insert([0, 1, 2].map((id) => ({ board: 'a', id, x: id })))
  const mirror = mirrorPins(store, manualFrames().scheduler)
  mirror.takeDirty()
  pins.delete(['a', 0])
  expect(mirror.count).toBe(2)
  expect([mirror.slotOf(['a', 0]), mirror.slotOf(['a', 1]), mirror.slotOf(['a', 2])]).toEqual([-1, 1, 0])
  expect(mirror.keyAt(0)).toEqual(['a', 2])
  expect(mirror.arrays.position[0]).toBe(2)
  expect(mirror.takeDirty().position).toEqual([[0, 2]])
})

test('a thousand scattered rows make few ranges, all of them covered', async () => {
  const store = await openPins()
  const pins = store.table('pin')
  pins.insert(Array.from({ length: 20_000 }, (_, id) => ({ board: 'a', id })))
  const mirror = createMirror(store, 'pin', { attributes: { position: { paths: ['x', 'y'], type: 'f32' } } })
  mirror.takeDirty()
  const keys = Array.from({ length: 1000 }, (_, n) => ['a', n * 20] as [string, number])
  pins.updateMany(keys, { x: 1 })
  const ranges = mirror.takeDirty().position ?? []
  expect(ranges.length).toBeLessThan(10)
  for (const at of keys)
    expect(ranges.some(([from, to]) => from <= mirror.slotOf(at) * 2 && mirror.slotOf(at) * 2 + 2 <= to)).toBe(true)
})

test('flush$ comes once a frame, and only when something is dirty', async () => {
  const store = await openPins()
  const pins = store.table('pin')
  const frames = manualFrames()
  const mirror = mirrorPins(store, frames.scheduler)
  pins.insert({ board: 'a', id: 1 })
  expect(frames.waiting()).toBe(0)
  const flushed = vi.fn<() => void>(() => void mirror.takeDirty())
  const ended = vi.fn<() => void>()
  mirror.flush$.subscribe({ next: flushed, complete: ended })
  expect(frames.waiting()).toBe(1)
  frames.draw()
  expect(flushed).toHaveBeenCalledTimes(1)
  expect(frames.waiting()).toBe(0)
  pins.set(['a', 1], 'x', 1)
  pins.set(['a', 1], 'x', 2)
  pins.set(['a', 1], 'note', 'x')
  expect(frames.waiting()).toBe(1)
  mirror.takeDirty()
  frames.draw()
  expect(flushed).toHaveBeenCalledTimes(1)
  pins.delete(['a', 1])
  frames.draw()
  expect(flushed).toHaveBeenCalledTimes(2)
  pins.insert({ board: 'a', id: 2 })
  await store.close()
  expect(ended).toHaveBeenCalledTimes(1)
  expect(frames.waiting()).toBe(0)
  expect(mirror.count).toBe(1)
})

test('a map that throws surfaces, leaves the slot as it was, and stops neither the store nor the mirror', async () => {
  const store = await openPins()
  const pins = store.table('pin')
  pins.insert([
    { board: 'a', id: 1, color: '#010101' },
    { board: 'a', id: 2 },
  ])
  const mirror = mirrorPins(store, manualFrames().scheduler)
  const surfaced = new Promise<unknown>((resolve) => {
    config.onUnhandledError = resolve
  })
  pins.updateMany(
    [
      ['a', 1],
      ['a', 2],
    ],
    (pin) => {
      pin.color = pin.id === 1 ? 'no colour' : '#020202'
      pin.x = 8
    },
  )
  const error = await surfaced
  expect(error).toBeInstanceOf(RowcastError)
  expect(String(error)).toContain(`attribute 'color': map failed for row ["a",1]`)
  expect([...mirror.arrays.color.subarray(0, 8)]).toEqual([1, 1, 1, 255, 2, 2, 2, 255])
  expect(mirror.arrays.position[0]).toBe(8)
})

test('a number that 32 bits do not hold is clamped, and said', async () => {
  const store = await openPins()
  const pins = store.table('pin')
  pins.insert({ board: 'a', id: 1, x: 1 })
  const mirror = createMirror(store, 'pin', {
    attributes: {
      position: { paths: ['x', 'y'], type: 'f32' },
      double: { paths: ['x'], type: 'f32', map: (x) => -(x as number) },
    },
  })
  const surfaced: string[] = []
  config.onUnhandledError = (error) => surfaced.push(String(error))
  pins.set(['a', 1], 'x', 1e300)
  pins.set(['a', 1], 'y', -3.4028235e38)
  const largest = new Float32Array(new Uint32Array([0x7f7fffff]).buffer)[0]!
  expect([...mirror.arrays.position.subarray(0, 2)]).toEqual([largest, -largest])
  expect(mirror.arrays.double[0]).toBe(-largest)
  await expect.poll(() => surfaced.length).toBe(3)
  expect(surfaced[0]).toContain(`attribute 'position': 1e+300 of row ["a",1] is beyond what f32 holds`)
})

test('what can not be mirrored is refused with the reason', async () => {
  const store = await openPins()
  const mirror = (attribute: object, name = 'a') =>
    createMirror(store, 'pin', { attributes: { [name]: attribute } as never })
  expect(() => mirror({ paths: ['z'], type: 'f32' })).toThrow(NotFoundError)
  expect(() => mirror({ paths: ['leader'], type: 'f32' })).toThrow(/is an object: name its properties/)
  expect(() => mirror({ paths: ['x.y'], type: 'f32' })).toThrow(/no property 'x.y'/)
  expect(() => mirror({ paths: [], type: 'f32' })).toThrow(/no paths/)
  expect(() => mirror({ paths: ['x'], type: 'f64' })).toThrow(/no type 'f64'/)
  expect(() => mirror({ paths: ['x'], type: 'f32', size: 0 })).toThrow(/size was given 0/)
  expect(() => mirror({ paths: ['x', 'y'], type: 'f32', size: 3 })).toThrow(/2 paths don't make 3 numbers/)
  expect(() => mirror({ paths: ['note'], type: 'f32' })).toThrow(/'note' is text: give a map/)
  expect(() => mirror({ paths: ['x'], type: 'f32' }, 'resized')).toThrow(/choose another name/)
  expect(() => createMirror(store, 'pen' as 'pin', { attributes: {} })).toThrow(NotFoundError)
})
