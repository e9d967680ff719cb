import {
  BufferAttribute,
  DataTexture,
  DynamicDrawUsage,
  GLSL3,
  InstancedBufferAttribute,
  InstancedBufferGeometry,
  Mesh,
  RawShaderMaterial,
  RedFormat,
  Sphere,
  UnsignedByteType,
} from 'three'
import { iconFragmentShader, iconVertexShader } from './icon-shader.ts'
import { sceneAttributes, type DirtyRanges, type InstanceSource, type SceneAttributeName } from './instance-source.ts'
import type { ViewUniforms } from './view-uniforms.ts'

/** Number of layers the scene can switch. */
export const maxLayers = 512

const drawnNames = (Object.keys(sceneAttributes) as SceneAttributeName[]).filter((name) => name !== 'label')

/** All icons in one instanced draw call; only dirty ranges are uploaded. */
export class IconLayer {
  readonly mesh: Mesh<InstancedBufferGeometry, RawShaderMaterial>
  readonly #layers: DataTexture = new DataTexture(
    new Uint8Array(maxLayers).fill(255),
    maxLayers,
    1,
    RedFormat,
    UnsignedByteType,
  )
  #attributes = new Map<SceneAttributeName, InstancedBufferAttribute>()
  #state: InstancedBufferAttribute = new InstancedBufferAttribute(new Float32Array(0), 1)
  #marked: number[] = []

  constructor(uniforms: ViewUniforms) {
    const material = new RawShaderMaterial({
      glslVersion: GLSL3,
      vertexShader: iconVertexShader,
      fragmentShader: iconFragmentShader,
      transparent: true,
      depthTest: false,
      depthWrite: false,
      side: 2,
      uniforms: { ...uniforms, uLayers: { value: this.#layers } },
    })
    this.#layers.needsUpdate = true
    this.mesh = new Mesh(new InstancedBufferGeometry(), material)
    this.mesh.frustumCulled = false
    this.mesh.renderOrder = 10
  }

  /** Takes over a source's arrays: new buffers when they were resized, else uploads of the dirty ranges. */
  update(source: InstanceSource, dirty: DirtyRanges): void {
    const fresh = this.#attributes.size === 0 || dirty.resized
    if (fresh) this.#rebuild(source)
    else {
      for (const name of drawnNames) {
        const attribute = this.#attributes.get(name)
        const ranges = dirty[name]
        if (!attribute || !ranges || ranges.length === 0) continue
        for (const [from, to] of ranges) attribute.addUpdateRange(from, to - from)
        attribute.needsUpdate = true
      }
    }
    this.mesh.geometry.instanceCount = source.count
  }

  /** Opacity of each layer, 0 to 255, at the index that the `layer` attribute holds. */
  setLayers(opacity: Uint8Array): void {
    const data = this.#layers.image.data
    if (!(data instanceof Uint8Array)) return
    data.fill(255)
    data.set(opacity.subarray(0, maxLayers))
    this.#layers.needsUpdate = true
  }

  /** Rings around the selected slots and the hovered one. */
  mark(selected: Iterable<number>, hovered: number | undefined): void {
    const state = this.#state.array
    for (const slot of this.#marked) state[slot] = 0
    const marked = [...selected]
    for (const slot of marked) state[slot] = 2
    if (hovered !== undefined && state[hovered] === 0) {
      state[hovered] = 1
      marked.push(hovered)
    }
    for (const slot of new Set([...this.#marked, ...marked])) this.#state.addUpdateRange(slot, 1)
    if (this.#state.updateRanges.length > 256) this.#state.clearUpdateRanges()
    this.#state.needsUpdate = true
    this.#marked = marked
  }

  dispose(): void {
    this.mesh.geometry.dispose()
    this.mesh.material.dispose()
    this.#layers.dispose()
  }

  #rebuild(source: InstanceSource): void {
    this.mesh.geometry.dispose()
    const geometry = new InstancedBufferGeometry()
    geometry.boundingSphere = new Sphere()
    geometry.setAttribute('corner', new BufferAttribute(Float32Array.of(-1, -1, 1, -1, 1, 1, -1, 1), 2))
    geometry.setIndex([0, 1, 2, 0, 2, 3])
    this.#attributes = new Map()
    for (const name of drawnNames) {
      const { size, type } = sceneAttributes[name]
      const attribute = new InstancedBufferAttribute(source.arrays[name], size, type === 'u8n')
      attribute.setUsage(DynamicDrawUsage)
      this.#attributes.set(name, attribute)
      geometry.setAttribute(name, attribute)
    }
    this.#state = new InstancedBufferAttribute(new Float32Array(source.arrays.shape.length), 1)
    this.#marked = []
    geometry.setAttribute('state', this.#state)
    this.mesh.geometry = geometry
  }
}
