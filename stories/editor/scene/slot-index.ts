import { iconOpacity, iconSize } from './icon-rules.ts'
import type { DirtyRanges, InstanceSource } from './instance-source.ts'
import type { MapView, ScreenPoint } from './map-view.ts'
import { latToY, lonToX } from './mercator.ts'

/** A rectangle in CSS pixels. */
export interface ScreenRect {
  readonly left: number
  readonly top: number
  readonly right: number
  readonly bottom: number
}

/**
 * Where each slot lies in mercator units, and the order of ranks. Searches are plain scans: a hundred thousand slots
 * take well under a millisecond, and there is no index to go stale while annotations are dragged.
 */
export class SlotIndex {
  #source: InstanceSource | undefined
  #places = new Float64Array(0)
  #order = new Uint32Array(0)
  #orderStale = true
  #layers: Uint8Array = new Uint8Array(0)

  setLayers(opacity: Uint8Array): void {
    this.#layers = opacity
  }

  update(source: InstanceSource, dirty: DirtyRanges): void {
    const known = this.#source === source && !dirty.resized
    this.#source = source
    if (!known) {
      this.#places = new Float64Array(source.arrays.position.length)
      this.#project(0, source.count)
    } else {
      for (const [from, to] of dirty.position ?? []) this.#project(from >> 1, Math.min((to + 1) >> 1, source.count))
    }
    if (!known || this.#order.length !== source.count || (dirty.label?.length ?? 0) > 0) this.#orderStale = true
  }

  /** Slots from the highest rank to the lowest. */
  get order(): Uint32Array {
    const source = this.#source
    if (source && this.#orderStale) {
      const {
        count,
        arrays: { label },
      } = source
      const keys = new Float64Array(count)
      for (let slot = 0; slot < count; slot++) {
        const rank = Math.round(((label[slot * 4] ?? 0) + (label[slot * 4 + 1] ?? 0)) * 64)
        keys[slot] = -rank * 2 ** 24 + slot
      }
      keys.sort()
      this.#order = Uint32Array.from(keys, (key) => ((key % 2 ** 24) + 2 ** 24) % 2 ** 24)
      this.#orderStale = false
    }
    return this.#order
  }

  /** Mercator x of a slot. */
  x(slot: number): number {
    return this.#places[slot * 2] ?? 0
  }

  /** Mercator y of a slot. */
  y(slot: number): number {
    return this.#places[slot * 2 + 1] ?? 0
  }

  /** Whether a slot's icon can be seen at this zoom level, wherever it lies. */
  isVisible(slot: number, zoom: number): boolean {
    const source = this.#source
    if (!source || slot >= source.count) return false
    const layer = source.arrays.layer[slot] ?? 0
    return (this.#layers[layer] ?? 255) > 0 && iconOpacity(source.arrays, slot, zoom) > 0.05
  }

  /** The slot drawn on top at a point, within `reach` pixels of its icon. */
  pick(point: ScreenPoint, view: MapView, reach: number): number | undefined {
    const source = this.#source
    if (!source) return undefined
    const x = view.x + (point.x - view.width / 2) / view.worldSize
    const y = view.y + (point.y - view.height / 2) / view.worldSize
    const far = 64 / view.worldSize
    let best: number | undefined
    let bestDistance = Infinity
    for (let slot = source.count - 1; slot >= 0; slot--) {
      const dx = Math.abs(this.x(slot) - x)
      if (dx > far) continue
      const dy = Math.abs(this.y(slot) - y)
      if (dy > far || !this.isVisible(slot, view.zoom)) continue
      const distance = Math.hypot(dx, dy) * view.worldSize
      const radius = Math.max(iconSize(source.arrays, slot, view.zoom), 2) / 2
      // Within an icon the distance is 0: of icons that overlap, the one drawn on top comes first.
      const beside = Math.max(distance - radius, 0)
      if (beside > reach || beside >= bestDistance) continue
      best = slot
      bestDistance = beside
    }
    return best
  }

  /** The visible slots within a rectangle. */
  within(rect: ScreenRect, view: MapView): number[] {
    const source = this.#source
    if (!source) return []
    const left = view.x + (rect.left - view.width / 2) / view.worldSize
    const right = view.x + (rect.right - view.width / 2) / view.worldSize
    const top = view.y + (rect.top - view.height / 2) / view.worldSize
    const bottom = view.y + (rect.bottom - view.height / 2) / view.worldSize
    const found: number[] = []
    for (let slot = 0; slot < source.count; slot++) {
      const x = this.x(slot)
      const y = this.y(slot)
      if (x < left || x > right || y < top || y > bottom) continue
      if (this.isVisible(slot, view.zoom)) found.push(slot)
    }
    return found
  }

  #project(from: number, to: number): void {
    const position = this.#source?.arrays.position
    if (!position) return
    for (let slot = from; slot < to; slot++) {
      this.#places[slot * 2] = lonToX(position[slot * 2] ?? 0)
      this.#places[slot * 2 + 1] = latToY(position[slot * 2 + 1] ?? 0)
    }
  }
}
