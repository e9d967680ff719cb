/**
 * three: keeps the buffers of an instanced mesh of three.js in step with a mirror. The only file that imports three.
 * @module
 */
import {
  InstancedBufferAttribute,
  InstancedBufferGeometry,
  type InstancedMesh,
  type Mesh,
  StreamDrawUsage,
} from 'three'
import { RowcastError } from '../errors/index.ts'
import type { AttributeArray, AttributeLayout, DirtyRange, Mirror, MirrorAttributes } from './index.ts'

/** What writes an `InstancedMesh`'s matrices: an offset, and a scale. */
export interface MatrixSource<Name extends string = string> {
  /** An attribute of size 2 or 3: where the instance lies. */
  readonly position: Name
  /** An attribute of size 1 (one factor for all axes), 2 or 3. By default 1. */
  readonly scale?: Name | undefined
}

export interface BindOptions<Name extends string = string> {
  /**
   * The mesh's attributes by the mirror's: names of the geometry's (as the shader has them), or `instanceColor` (size 3)
   * or `instanceMatrix` (size 16) of an `InstancedMesh`. By default all under their own names, less those that `matrix`
   * takes. They read the mirror's arrays in place.
   */
  readonly attributes?: { readonly [N in Name]?: string } | undefined
  /** Writes an `InstancedMesh`'s `instanceMatrix`. */
  readonly matrix?: MatrixSource<Name> | undefined
  /** `frame`: by itself, with the mirror's `flush$`. `manual`: only by `update()`. By default `frame`. */
  readonly drive?: 'frame' | 'manual' | undefined
  /** Called after an update, to draw a frame. */
  readonly onUpdate?: (() => void) | undefined
}

export interface MeshBinding {
  /** Takes over what has changed; cheap if nothing has. */
  update(): void
  /** Stops following. The mesh and its buffers stay as they are. */
  dispose(): void
}

type LooseArrays = { readonly [name: string]: AttributeArray }
type LooseLayouts = { readonly [name: string]: AttributeLayout }

/** So that what is never drawn doesn't collect ranges without end: beyond this many, everything is uploaded. */
const MAX_RANGES = 4096

/**
 * Binds a mirror to an `InstancedMesh`, or to a mesh with an `InstancedBufferGeometry`: its instance count, and instanced
 * attributes over the mirror's arrays, of which only the dirty ranges are uploaded. When the arrays have grown, the
 * buffers are replaced. The binding is the mirror's one consumer of `takeDirty`.
 *
 * A bounding volume that three.js has computed for an `InstancedMesh` is dropped when matrices change, and computed anew
 * over all instances: set `frustumCulled = false` where there are many. Three.js 0.159 or newer.
 *
 * Throws RowcastError (`mirror`) for attributes that can't be bound.
 */
export function bindInstancedMesh<K, A extends MirrorAttributes>(
  mirror: Mirror<K, A>,
  mesh: Mesh | InstancedMesh,
  options: BindOptions<keyof A & string> = {},
): MeshBinding {
  const layouts: LooseLayouts = mirror.layouts
  const instanced = isInstancedMesh(mesh) ? mesh : undefined
  const { geometry } = mesh
  const { matrix } = options
  const targets = targetsOf(layouts, options)
  check(layouts, targets, matrix, instanced)
  if (!instanced && !(geometry instanceof InstancedBufferGeometry))
    throw refuse('the mesh is neither an InstancedMesh nor has an InstancedBufferGeometry')
  const bound = new Map<string, InstancedBufferAttribute>()
  let matrices: InstancedBufferAttribute | undefined

  function replace(arrays: LooseArrays): void {
    // Frees the buffers; three.js makes those that are still used anew when it draws the next time.
    geometry.dispose()
    instanced?.dispose()
    for (const [name, target] of targets) {
      const attribute = dynamicAttribute(arrays[name]!, layouts[name]!.size, layouts[name]!.normalized)
      bound.set(name, attribute)
      if (instanced && target === 'instanceMatrix') instanced.instanceMatrix = attribute
      else if (instanced && target === 'instanceColor') instanced.instanceColor = attribute
      else geometry.setAttribute(target, attribute)
    }
    if (!instanced || !matrix) return
    const capacity = arrays[matrix.position]!.length / layouts[matrix.position]!.size
    matrices = dynamicAttribute(new Float32Array(capacity * 16), 16, false)
    instanced.instanceMatrix = matrices
  }

  /** Writes the matrices of what an attribute's ranges span, and gives the ranges of these. */
  function writeMatrices(
    attribute: string | undefined,
    ranges: readonly DirtyRange[] | undefined,
  ): readonly DirtyRange[] {
    if (!matrices || !matrix || attribute === undefined || !ranges) return []
    const { size } = layouts[attribute]!
    const position = (mirror.arrays as LooseArrays)[matrix.position]!
    const scale = matrix.scale === undefined ? undefined : (mirror.arrays as LooseArrays)[matrix.scale]!
    const axes = layouts[matrix.position]!.size
    const factors = matrix.scale === undefined ? 1 : layouts[matrix.scale]!.size
    const out = matrices.array
    for (const [from, to] of ranges)
      for (let slot = from / size; slot < to / size; slot++) {
        const at = slot * 16
        for (let axis = 0; axis < 3; axis++) {
          const factor =
            scale === undefined || (factors > 1 && axis >= factors)
              ? 1
              : scale[slot * factors + (factors === 1 ? 0 : axis)]!
          out[at + axis * 5] = factor
          out[at + 12 + axis] = axis < axes ? position[slot * axes + axis]! : 0
        }
        out[at + 15] = 1
      }
    return ranges.map(([from, to]) => [(from / size) * 16, (to / size) * 16] as const)
  }

  function update(): void {
    const dirty = mirror.takeDirty() as { readonly resized: boolean } & {
      readonly [name: string]: readonly DirtyRange[] | undefined
    }
    const isNew = dirty.resized || bound.size + (matrices ? 1 : 0) === 0
    if (isNew) replace(mirror.arrays)
    const written = [
      ...writeMatrices(matrix?.position, dirty[matrix?.position ?? '']),
      ...writeMatrices(matrix?.scale, dirty[matrix?.scale ?? '']),
    ]
    // A buffer is made of the whole array; ranges asked for before that would go up again with the next change.
    if (!isNew) {
      for (const [name, attribute] of bound) upload(attribute, dirty[name] ?? [])
      if (matrices) upload(matrices, written)
    }
    if (instanced) {
      const moved =
        dirty.resized ||
        instanced.count !== mirror.count ||
        [...targets].some(([name, target]) => target === 'instanceMatrix' && dirty[name])
      if (moved || (matrix && (dirty[matrix.position] || dirty[matrix.scale ?? '']))) {
        instanced.boundingSphere = null
        instanced.boundingBox = null
      }
      instanced.count = mirror.count
    } else if (geometry instanceof InstancedBufferGeometry) geometry.instanceCount = mirror.count
    options.onUpdate?.()
  }

  update()
  const subscription = options.drive === 'manual' ? undefined : mirror.flush$.subscribe(update)
  return { update, dispose: () => subscription?.unsubscribe() }
}

function isInstancedMesh(mesh: Mesh): mesh is InstancedMesh {
  return 'isInstancedMesh' in mesh && mesh.isInstancedMesh === true
}

function targetsOf(layouts: LooseLayouts, { attributes, matrix }: BindOptions): ReadonlyMap<string, string> {
  if (attributes)
    return new Map(Object.entries(attributes).filter((entry): entry is [string, string] => entry[1] !== undefined))
  return new Map(
    Object.keys(layouts)
      .filter((name) => name !== matrix?.position && name !== matrix?.scale)
      .map((name) => [name, name]),
  )
}

function check(
  layouts: LooseLayouts,
  targets: ReadonlyMap<string, string>,
  matrix: MatrixSource | undefined,
  instanced: InstancedMesh | undefined,
): void {
  const sizes = (name: string, allowed: readonly number[], use: string): void => {
    const layout = Object.hasOwn(layouts, name) ? layouts[name] : undefined
    if (!layout) throw refuse(`the mirror has no attribute '${name}'`)
    if (!allowed.includes(layout.size))
      throw refuse(`'${name}' has ${layout.size} numbers per row, where ${use} takes ${allowed.join(' or ')}`)
  }
  for (const [name, target] of targets) {
    const own =
      instanced && target === 'instanceMatrix' ? [16] : instanced && target === 'instanceColor' ? [3] : [1, 2, 3, 4]
    sizes(name, own, `'${target}'`)
  }
  if (!matrix) return
  if (!instanced) throw refuse('matrix needs an InstancedMesh')
  if ([...targets.values()].includes('instanceMatrix')) throw refuse('instanceMatrix is given twice')
  sizes(matrix.position, [2, 3], 'a position')
  if (matrix.scale !== undefined) sizes(matrix.scale, [1, 2, 3], 'a scale')
}

function dynamicAttribute(array: AttributeArray, size: number, normalized: boolean): InstancedBufferAttribute {
  const attribute = new InstancedBufferAttribute(array, size, normalized)
  // Not DynamicDrawUsage, of which WebGPURenderer uploads the whole array with every frame.
  attribute.setUsage(StreamDrawUsage)
  // A buffer is made of the whole array: what was asked for before would go up again with the next change.
  attribute.onUpload(() => attribute.clearUpdateRanges())
  return attribute
}

function upload(attribute: InstancedBufferAttribute, ranges: readonly DirtyRange[]): void {
  if (ranges.length === 0) return
  for (const [from, to] of ranges) attribute.addUpdateRange(from, to - from)
  if (attribute.updateRanges.length > MAX_RANGES) {
    attribute.clearUpdateRanges()
    attribute.addUpdateRange(0, attribute.array.length)
  }
  attribute.needsUpdate = true
}

function refuse(message: string): RowcastError {
  return new RowcastError('mirror', `bindInstancedMesh: ${message}`)
}
