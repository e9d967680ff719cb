export { type MapStyle } from './base-map.ts'
export { maxLayers } from './icon-layer.ts'
export {
  sceneAttributes,
  shapeIndex,
  type DirtyRanges,
  type InstanceSource,
  type SceneArrays,
  type SceneAttribute,
  type SceneAttributeName,
} from './instance-source.ts'
export type { LabelSource } from './label-style.ts'
export {
  createMapScene,
  type GuestSelection,
  type MapScene,
  type MapSceneOptions,
  type SceneDrag,
  type SceneStats,
} from './map-scene.ts'
export type { LonLat, ScreenPoint, ViewState } from './map-view.ts'
