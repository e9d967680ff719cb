/** Latitude at which the web mercator square ends. */
export const maxLat = 85.0511287798066

const radians = Math.PI / 180

/** Degrees to 0 (180° west) … 1 (180° east). */
export function lonToX(lon: number): number {
  return lon / 360 + 0.5
}

/** Degrees to 0 (north) … 1 (south), clamped to the square. */
export function latToY(lat: number): number {
  const clamped = Math.min(Math.max(lat, -maxLat), maxLat)
  return 0.5 - Math.atanh(Math.sin(clamped * radians)) / (2 * Math.PI)
}

export function xToLon(x: number): number {
  return (x - 0.5) * 360
}

export function yToLat(y: number): number {
  return Math.asin(Math.tanh((0.5 - y) * 2 * Math.PI)) / radians
}
