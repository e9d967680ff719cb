/** How one typed array of the scene is filled from an annotation's paths. */
export interface SceneAttribute {
  readonly paths: readonly string[]
  /** `u8n` is read by the shader as 0 to 1. */
  readonly type: 'f32' | 'u8n'
  /** Elements per row. */
  readonly size: number
}

/** The attributes the scene reads, with the paths that feed them; `label` is read on the CPU only. */
export const sceneAttributes = {
  position: { paths: ['position.lon', 'position.lat'], type: 'f32', size: 2 },
  color: { paths: ['icon.color'], type: 'u8n', size: 4 },
  border: { paths: ['icon.border.color'], type: 'u8n', size: 4 },
  icon: { paths: ['icon.size', 'icon.opacity', 'icon.rotation', 'icon.border.width'], type: 'f32', size: 4 },
  shape: { paths: ['icon.shape'], type: 'f32', size: 1 },
  layer: { paths: ['layerId'], type: 'f32', size: 1 },
  zoom: {
    paths: ['visibility.minZoom', 'visibility.maxZoom', 'visibility.fade.range', 'scale.factor'],
    type: 'f32',
    size: 4,
  },
  scale: {
    paths: ['scale.byDistance.near', 'scale.byDistance.far', 'scale.byDistance.min', 'scale.byDistance.max'],
    type: 'f32',
    size: 4,
  },
  flags: {
    paths: ['hidden', 'icon.visible', 'visibility.fade.visible', 'scale.byDistance.enabled'],
    type: 'f32',
    size: 4,
  },
  label: {
    paths: ['rank', 'visibility.priority', 'visibility.labelMinZoom', 'text.visible'],
    type: 'f32',
    size: 4,
  },
} as const satisfies Record<string, SceneAttribute>

export type SceneAttributeName = keyof typeof sceneAttributes

export type SceneArrays = Readonly<Record<SceneAttributeName, Float32Array | Uint8Array>>

/** Ranges `[from, to)` in elements of each array; `resized` says that the arrays are other ones than before. */
export type DirtyRanges = { readonly resized: boolean } & {
  readonly [Name in SceneAttributeName]?: readonly (readonly [from: number, to: number])[]
}

/** Rows in dense slots 0 … count-1. A mirror of the store has this shape. */
export interface InstanceSource {
  readonly count: number
  readonly arrays: SceneArrays
  /** What changed since the last call. */
  takeDirty(): DirtyRanges
}

/** Value of the `shape` attribute for each `icon.shape`. */
export const shapeIndex: Readonly<Record<string, number>> = {
  circle: 0,
  square: 1,
  diamond: 2,
  triangle: 3,
  star: 4,
  pin: 5,
}
