import type { LonLat, MapScene } from '../scene/index.ts'

const durationMs = 450
const flights = new WeakMap<MapScene, number>()

/** Moves the view to a place, zooming in to at least `zoom`; at once for those who want no motion. */
export function flyTo(scene: MapScene, center: LonLat, zoom: number): void {
  const from = scene.view
  const toZoom = Math.max(from.zoom, zoom)
  cancelAnimationFrame(flights.get(scene) ?? 0)
  if (matchMedia('(prefers-reduced-motion: reduce)').matches) {
    scene.setView({ center, zoom: toZoom })
    return
  }
  const started = performance.now()
  const step = (now: number): void => {
    const time = Math.min(Math.max((now - started) / durationMs, 0), 1)
    const eased = 1 - (1 - time) ** 3
    scene.setView({
      center: {
        lon: from.center.lon + (center.lon - from.center.lon) * eased,
        lat: from.center.lat + (center.lat - from.center.lat) * eased,
      },
      zoom: from.zoom + (toZoom - from.zoom) * eased,
    })
    if (time < 1) flights.set(scene, requestAnimationFrame(step))
  }
  flights.set(scene, requestAnimationFrame(step))
}

/** Ends a flight that is under way. */
export function stopFlight(scene: MapScene): void {
  cancelAnimationFrame(flights.get(scene) ?? 0)
}
