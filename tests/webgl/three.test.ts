import { bindInstancedMesh } from 'rowcast/three'
import { createMirror, cssColor, linearColor } from 'rowcast/webgl'
import {
  BoxGeometry,
  Color,
  InstancedBufferAttribute,
  InstancedBufferGeometry,
  InstancedMesh,
  Matrix4,
  Mesh,
  MeshBasicMaterial,
} from 'three'
import Attributes from 'three/src/renderers/common/Attributes.js'
import { WebGLAttributes } from 'three/src/renderers/webgl/WebGLAttributes.js'
import { expect, test, vi } from 'vitest'
import { manualFrames, openPins, type PinStore } from './pins.ts'

const attributes = {
  position: { paths: ['x', 'y'], type: 'f32' },
  size: { paths: ['leader.width'], type: 'f32', fallback: 1 },
  color: { paths: ['color'], type: 'u8n', size: 4, map: cssColor },
} as const

/** Rows so far apart that no two become one range. */
const FAR = 3000

async function open(rows: number): Promise<{
  store: PinStore
  pins: ReturnType<PinStore['table']>
  frames: ReturnType<typeof manualFrames>
  mirror: ReturnType<typeof mirrorOf>
}> {
  const store = await openPins()
  const pins = store.table('pin')
  pins.insert(Array.from({ length: rows }, (_, id) => ({ board: 'a', id, x: id })))
  const frames = manualFrames()
  return { store, pins, frames, mirror: mirrorOf(store, frames.scheduler) }
}

const mirrorOf = (store: PinStore, scheduler: ReturnType<typeof manualFrames>['scheduler']) =>
  createMirror(store, 'pin', { attributes, scheduler })

function instanced(mesh: Mesh, name: string): InstancedBufferAttribute {
  const attribute = mesh.geometry.getAttribute(name)
  if (!(attribute instanceof InstancedBufferAttribute)) throw new Error(`no instanced attribute ${name}`)
  return attribute
}

/** Takes what three.js would upload next. */
function takeUploads(attribute: InstancedBufferAttribute): { start: number; count: number }[] {
  const ranges = [...attribute.updateRanges]
  attribute.clearUpdateRanges()
  return ranges
}

test('the geometry reads the arrays in place, and uploads only what is dirty, once a frame', async () => {
  const { pins, frames, mirror } = await open(2 * FAR + 1)
  const mesh = new Mesh(new InstancedBufferGeometry(), new MeshBasicMaterial())
  const drawn = vi.fn<() => void>()
  const binding = bindInstancedMesh(mirror, mesh, { onUpdate: drawn })
  const position = instanced(mesh, 'position')
  const color = instanced(mesh, 'color')
  expect(position.array).toBe(mirror.arrays.position)
  expect([position.itemSize, position.normalized, color.itemSize, color.normalized]).toEqual([2, false, 4, true])
  expect(mesh.geometry.instanceCount).toBe(2 * FAR + 1)
  takeUploads(position)
  takeUploads(color)
  const { version } = color
  pins.updateMany(
    [
      ['a', 0],
      ['a', 2 * FAR],
    ],
    { x: -1 },
  )
  expect(takeUploads(position)).toEqual([])
  frames.draw()
  expect(takeUploads(position)).toEqual([
    { start: 0, count: 2 },
    { start: 4 * FAR, count: 2 },
  ])
  expect(takeUploads(color)).toEqual([])
  expect(color.version).toBe(version)
  expect(drawn).toHaveBeenCalledTimes(2)
  binding.dispose()
  pins.set(['a', 0], 'x', 5)
  frames.draw()
  expect(takeUploads(position)).toEqual([])
})

/** What three.js uploads of an attribute, frame by frame, in elements. */
function uploadsOf(): (attribute: InstancedBufferAttribute) => number {
  let uploaded = 0
  const gl = {
    ARRAY_BUFFER: 1,
    createBuffer: () => ({}),
    bindBuffer: () => undefined,
    bufferData: (_type: number, array: Float32Array) => void (uploaded += array.length),
    bufferSubData: (_type: number, _at: number, array: Float32Array, _from?: number, count = array.length) =>
      void (uploaded += count),
  }
  const attributes = new WebGLAttributes(gl as unknown as WebGLRenderingContext)
  return (attribute) => {
    uploaded = 0
    attributes.update(attribute, gl.ARRAY_BUFFER)
    return uploaded
  }
}

test('three.js uploads everything once, and then one row for one row, also after growth', async () => {
  const { pins, mirror } = await open(1000)
  const mesh = new InstancedMesh(new BoxGeometry(), new MeshBasicMaterial(), 0)
  const binding = bindInstancedMesh(mirror, mesh, {
    matrix: { position: 'position' },
    attributes: { size: 'size' },
    drive: 'manual',
  })
  const draw = uploadsOf()
  const both = (): number[] => [draw(mesh.instanceMatrix), draw(instanced(mesh, 'size'))]
  const changeOne = (x: number): void => {
    pins.update(['a', 500], { x, leader: { width: x, dashed: false } })
    binding.update()
  }
  // Before the first frame too: the buffer is made of what there is by then.
  changeOne(1)
  expect(both()).toEqual([mesh.instanceMatrix.array.length, instanced(mesh, 'size').array.length])
  expect(both()).toEqual([0, 0])
  changeOne(2)
  expect(both()).toEqual([16, 1])
  pins.insert(Array.from({ length: 100 }, (_, id) => ({ board: 'b', id, x: 1 })))
  binding.update()
  expect(both()).toEqual([mesh.instanceMatrix.array.length, instanced(mesh, 'size').array.length])
  changeOne(3)
  expect(both()).toEqual([16, 1])
})

test('WebGPURenderer uploads one row for one row as well, and nothing while nothing changes', async () => {
  const { pins, mirror } = await open(1000)
  const mesh = new InstancedMesh(new BoxGeometry(), new MeshBasicMaterial(), 0)
  const binding = bindInstancedMesh(mirror, mesh, {
    matrix: { position: 'position' },
    attributes: { size: 'size' },
    drive: 'manual',
  })
  // As three.js has it, which exports neither this nor the types of what follows.
  const VERTEX = 1
  let uploaded = 0
  const backend = {
    createAttribute: ({ array }: InstancedBufferAttribute) => void (uploaded += array.length),
    destroyAttribute: () => undefined,
    updateAttribute: (attribute: InstancedBufferAttribute) => {
      const ranges = takeUploads(attribute)
      uploaded += ranges.length === 0 ? attribute.array.length : ranges.reduce((sum, { count }) => sum + count, 0)
    },
  }
  const buffers = new Attributes(backend, { createAttribute: () => undefined, destroyAttribute: () => undefined })
  const draw = (): number[] =>
    [mesh.instanceMatrix, instanced(mesh, 'size')].map((attribute) => {
      uploaded = 0
      buffers.update(attribute, VERTEX)
      return uploaded
    })
  const whole = (): number[] => [mesh.instanceMatrix.array.length, instanced(mesh, 'size').array.length]
  const changeOne = (x: number): void => {
    pins.update(['a', 500], { x, leader: { width: x, dashed: false } })
    binding.update()
  }
  expect(draw()).toEqual(whole())
  expect(draw()).toEqual([0, 0])
  changeOne(2)
  expect(draw()).toEqual([16, 1])
  pins.insert(Array.from({ length: 100 }, (_, id) => ({ board: 'b', id, x: 1 })))
  binding.update()
  expect(draw()).toEqual(whole())
  changeOne(3)
  expect(draw()).toEqual([16, 1])
})

test('growth replaces the buffers and frees the old ones', async () => {
  const { pins, mirror } = await open(100)
  const mesh = new Mesh(new InstancedBufferGeometry(), new MeshBasicMaterial())
  const binding = bindInstancedMesh(mirror, mesh, { attributes: { position: 'offset' }, drive: 'manual' })
  const before = instanced(mesh, 'offset')
  const freed = vi.fn<() => void>()
  mesh.geometry.addEventListener('dispose', freed)
  pins.insert(Array.from({ length: 5 }, (_, id) => ({ board: 'b', id, x: 1 })))
  expect(instanced(mesh, 'offset')).toBe(before)
  binding.update()
  expect(freed).toHaveBeenCalledTimes(1)
  expect(instanced(mesh, 'offset')).not.toBe(before)
  expect(instanced(mesh, 'offset').array).toBe(mirror.arrays.position)
  expect(instanced(mesh, 'offset').array.length).toBe(400)
  expect(mesh.geometry.instanceCount).toBe(105)
  expect(mesh.geometry.getAttribute('color')).toBeUndefined()
})

test('an InstancedMesh has its matrices written, of the dirty slots only', async () => {
  const { pins, mirror } = await open(FAR + 1)
  const mesh = new InstancedMesh(new BoxGeometry(), new MeshBasicMaterial(), 0)
  const binding = bindInstancedMesh(mirror, mesh, { matrix: { position: 'position', scale: 'size' }, drive: 'manual' })
  const matrixAt = (slot: number): Matrix4 => {
    const matrix = new Matrix4()
    mesh.getMatrixAt(slot, matrix)
    return matrix
  }
  expect(mesh.count).toBe(FAR + 1)
  expect(matrixAt(5)).toEqual(new Matrix4().makeTranslation(5, 7, 0))
  expect(mesh.geometry.getAttribute('position')).not.toBeInstanceOf(InstancedBufferAttribute)
  mesh.computeBoundingSphere()
  takeUploads(mesh.instanceMatrix)
  mesh.instanceMatrix.array.fill(0)
  pins.update(['a', 3], { x: 10, leader: { width: 4, dashed: false } })
  binding.update()
  expect(matrixAt(3)).toEqual(new Matrix4().makeTranslation(10, 7, 0).scale({ x: 4, y: 4, z: 4 } as never))
  expect(matrixAt(4).elements.every((element) => element === 0)).toBe(true)
  expect(takeUploads(mesh.instanceMatrix)).toEqual([
    { start: 48, count: 16 },
    { start: 48, count: 16 },
  ])
  expect(mesh.boundingSphere).toBeNull()
  pins.delete(['a', 0])
  binding.update()
  expect(mesh.count).toBe(FAR)
  expect(matrixAt(0)).toEqual(new Matrix4().makeTranslation(FAR, 7, 0))
})

test('what is never drawn collects no endless list of ranges, and loses none', async () => {
  const { pins, mirror } = await open(1)
  const mesh = new InstancedMesh(new BoxGeometry(), new MeshBasicMaterial(), 0)
  const binding = bindInstancedMesh(mirror, mesh, { matrix: { position: 'position' }, drive: 'manual' })
  for (let turn = 0; turn < 5000; turn++) {
    pins.set(['a', 0], 'x', turn)
    binding.update()
  }
  const { updateRanges } = mesh.instanceMatrix
  expect(updateRanges.length).toBeLessThan(4097)
  expect(updateRanges[0]).toEqual({ start: 0, count: mesh.instanceMatrix.array.length })
})

test('cssColor fits instanceColor without its alpha, linearColor as three.js calculates', async () => {
  const store = await openPins()
  store.table('pin').insert({ board: 'a', id: 1, color: '#ff8000' })
  const mirrorWith = (type: 'f32' | 'u8n', map: typeof cssColor | typeof linearColor) =>
    createMirror(store, 'pin', { attributes: { color: { paths: ['color'], type, size: 3, map } } })
  const mesh = new InstancedMesh(new BoxGeometry(), new MeshBasicMaterial(), 0)
  const attributes = { color: 'instanceColor' }
  bindInstancedMesh(mirrorWith('u8n', cssColor), mesh, { attributes, drive: 'manual' })
  expect(Array.from(mesh.instanceColor!.array.slice(0, 3))).toEqual([255, 128, 0])
  bindInstancedMesh(mirrorWith('f32', linearColor), mesh, { attributes, drive: 'manual' })
  const bound = new Color()
  mesh.getColorAt(0, bound)
  expect(bound.getHexString()).toBe('ff8000')
})

test('what can not be bound is refused with the reason', async () => {
  const { mirror } = await open(1)
  const plain = new Mesh(new BoxGeometry(), new MeshBasicMaterial())
  const boxes = new InstancedMesh(new BoxGeometry(), new MeshBasicMaterial(), 0)
  expect(() => bindInstancedMesh(mirror, plain)).toThrow(/neither an InstancedMesh nor has an InstancedBufferGeometry/)
  expect(() => bindInstancedMesh(mirror, plain, { matrix: { position: 'position' } })).toThrow(
    /matrix needs an InstancedMesh/,
  )
  expect(() => bindInstancedMesh(mirror, boxes, { attributes: { color: 'instanceColor' } })).toThrow(
    /'color' has 4 numbers per row/,
  )
  expect(() => bindInstancedMesh(mirror, boxes, { matrix: { position: 'size' } })).toThrow(/a position takes 2 or 3/)
  expect(() => bindInstancedMesh(mirror, boxes, { attributes: { nothing: 'x' } as never })).toThrow(
    /no attribute 'nothing'/,
  )
})
