import { maxLayers } from '../scene/index.ts'
import type { Layer } from './editor-store.ts'

/** Numbers for layers, as the scene wants them. 0 is "no layer". */
export class LayerIndex {
  readonly #numbers = new Map<string, number>()

  /** The number of a layer: the next free one for a layer not met before. */
  indexOf(id: string): number {
    let index = this.#numbers.get(id)
    if (index === undefined) {
      index = Math.min(this.#numbers.size + 1, maxLayers - 1)
      this.#numbers.set(id, index)
    }
    return index
  }

  /** Opacity by number, 0 to 255: a layer shows while it and all above it are visible. */
  opacityOf(layers: readonly Layer[], isVisible: (layer: Layer) => boolean): Uint8Array {
    const byId = new Map(layers.map((layer) => [layer.id, layer]))
    const opacity = new Uint8Array(maxLayers).fill(255)
    for (const layer of layers) {
      let share = 255
      for (let at: Layer | undefined = layer; at; at = at.parentId === null ? undefined : byId.get(at.parentId)) {
        share *= isVisible(at) ? at.opacity / 100 : 0
      }
      opacity[this.indexOf(layer.id)] = Math.round(share)
    }
    return opacity
  }
}
