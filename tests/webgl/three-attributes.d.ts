declare module 'three/src/renderers/common/Attributes.js' {
  import type { InstancedBufferAttribute } from 'three'

  /** What WebGPURenderer has of the buffers, as much of it as the tests use; @types/three leaves it out. */
  export default class Attributes {
    constructor(
      backend: {
        readonly createAttribute: (attribute: InstancedBufferAttribute) => void
        readonly updateAttribute: (attribute: InstancedBufferAttribute) => void
        readonly destroyAttribute: () => void
      },
      info: { readonly createAttribute: () => void; readonly destroyAttribute: () => void },
    )
    update(attribute: InstancedBufferAttribute, type: number): void
  }
}
