import { latToY, lonToX, xToLon, yToLat } from './mercator.ts'

/** A place in degrees. */
export interface LonLat {
  readonly lon: number
  readonly lat: number
}

/** A place in CSS pixels from the canvas's top left. */
export interface ScreenPoint {
  readonly x: number
  readonly y: number
}

/** What part of the world is shown. */
export interface ViewState {
  readonly center: LonLat
  /** 0 shows the world in 256 pixels; each step doubles. */
  readonly zoom: number
}

const maxZoom = 14

/** Camera over the web mercator square. Units: mercator 0 to 1, and CSS pixels. */
export class MapView {
  #x = 0.5
  #y = 0.4
  #zoom = 2
  width = 1
  height = 1

  get x(): number {
    return this.#x
  }

  get y(): number {
    return this.#y
  }

  get zoom(): number {
    return this.#zoom
  }

  /** Side of the world's square in pixels. */
  get worldSize(): number {
    return 256 * 2 ** this.#zoom
  }

  get state(): ViewState {
    return { center: { lon: xToLon(this.#x), lat: yToLat(this.#y) }, zoom: this.#zoom }
  }

  set(state: ViewState): void {
    this.#moveTo(lonToX(state.center.lon), latToY(state.center.lat), state.zoom)
  }

  resize(width: number, height: number): void {
    this.width = Math.max(width, 1)
    this.height = Math.max(height, 1)
    this.#moveTo(this.#x, this.#y, this.#zoom)
  }

  panBy(dx: number, dy: number): void {
    this.#moveTo(this.#x - dx / this.worldSize, this.#y - dy / this.worldSize, this.#zoom)
  }

  /** Changes the zoom by `steps` so that what lies under `point` stays there. */
  zoomBy(steps: number, point: ScreenPoint): void {
    const zoom = this.#clampZoom(this.#zoom + steps)
    const before = this.worldSize
    const after = 256 * 2 ** zoom
    const fromCenterX = point.x - this.width / 2
    const fromCenterY = point.y - this.height / 2
    const shift = 1 / before - 1 / after
    this.#moveTo(this.#x + fromCenterX * shift, this.#y + fromCenterY * shift, zoom)
  }

  toScreen(place: LonLat): ScreenPoint {
    return {
      x: (lonToX(place.lon) - this.#x) * this.worldSize + this.width / 2,
      y: (latToY(place.lat) - this.#y) * this.worldSize + this.height / 2,
    }
  }

  toLonLat(point: ScreenPoint): LonLat {
    return {
      lon: xToLon(this.#x + (point.x - this.width / 2) / this.worldSize),
      lat: yToLat(this.#y + (point.y - this.height / 2) / this.worldSize),
    }
  }

  #clampZoom(zoom: number): number {
    // The world fills at least the wider side, so that no void shows left or right of it.
    const least = Math.log2(Math.max(this.width, 256) / 256)
    return Math.min(Math.max(zoom, least), maxZoom)
  }

  #moveTo(x: number, y: number, zoom: number): void {
    this.#zoom = this.#clampZoom(zoom)
    const halfX = this.width / 2 / this.worldSize
    const halfY = Math.min(this.height / 2 / this.worldSize, 0.5)
    this.#x = Math.min(Math.max(x, halfX), 1 - halfX)
    this.#y = Math.min(Math.max(y, halfY), 1 - halfY)
  }
}
