import type { SceneArrays } from './instance-source.ts'

const at = (array: Float32Array | Uint8Array, index: number): number => array[index] ?? 0
const clamp01 = (value: number): number => Math.min(Math.max(value, 0), 1)

/** Opacity of a slot's icon at a zoom level, 0 to 1, without its layer's; as the shader computes it. */
export function iconOpacity(arrays: SceneArrays, slot: number, zoom: number): number {
  const row = slot * 4
  const fade = Math.max(at(arrays.zoom, row + 2) * at(arrays.flags, row + 2), 0.001)
  const since = clamp01((zoom - at(arrays.zoom, row)) / fade + 1)
  const shown = since * clamp01((at(arrays.zoom, row + 1) - zoom) / fade + 1)
  return at(arrays.icon, row + 1) * 0.01 * shown * (1 - at(arrays.flags, row)) * at(arrays.flags, row + 1)
}

/** Factor of a slot's size at a zoom level; as the shader computes it. */
function iconScale(arrays: SceneArrays, slot: number, zoom: number): number {
  const row = slot * 4
  const factor = at(arrays.zoom, row + 3) * 0.01
  if (at(arrays.flags, row + 3) === 0) return factor
  const far = at(arrays.scale, row + 1)
  const near = clamp01((zoom - far) / Math.max(at(arrays.scale, row) - far, 0.01))
  const eased = near * near * (3 - 2 * near)
  const least = at(arrays.scale, row + 2)
  return factor * (least + (at(arrays.scale, row + 3) - least) * eased) * 0.01
}

/** Width of a slot's icon in pixels at a zoom level. */
export function iconSize(arrays: SceneArrays, slot: number, zoom: number): number {
  return at(arrays.icon, slot * 4) * iconScale(arrays, slot, zoom)
}
