import { createMirror, cssColor, type Mirror } from 'rowcast/webgl'
import { sceneAttributes as from, shapeIndex } from '../scene/index.ts'
import type { EditorStore } from './editor-store.ts'
import type { LayerIndex } from './layer-index.ts'

/** The annotations as the scene's typed arrays. */
export type SceneMirror = ReturnType<typeof createSceneMirror>

export function createSceneMirror(store: EditorStore, layers: LayerIndex) {
  return createMirror(store, 'annotation', {
    attributes: {
      ...from,
      color: { ...from.color, map: cssColor },
      border: { ...from.border, map: cssColor },
      shape: { ...from.shape, map: (shape) => (typeof shape === 'string' ? (shapeIndex[shape] ?? 0) : 0) },
      layer: { ...from.layer, map: (id) => (typeof id === 'string' ? layers.indexOf(id) : 0) },
    },
  })
}

export type { Mirror }
