import type { MapScene, ScreenPoint } from '../scene/index.ts'
import { SelectionDrag } from './drag.ts'
import type { Editor } from './editor.ts'
import { selectionOf } from './selection.ts'

const panPixels = 64
const movePixels = 1
/** How many times as far with Shift. */
const farther = 8
const zoomSteps = 0.5
/** How far from the middle Space reaches, in pixels. */
const reachPixels = 60

const directions: Readonly<Record<string, ScreenPoint>> = {
  ArrowLeft: { x: -1, y: 0 },
  ArrowRight: { x: 1, y: 0 },
  ArrowUp: { x: 0, y: -1 },
  ArrowDown: { x: 0, y: 1 },
}

/** What the keys do on the map, for those who are told and those who look it up. */
export const mapKeysText =
  'Arrow keys move the map, plus and minus zoom. Page Down and Page Up go through the labelled annotations, Space ' +
  'selects what is nearest to the middle. Control with arrow keys moves what is selected.'

/** The map by keyboard: while the canvas has the focus. Returns what stops listening. */
export function listenToMapKeys(canvas: HTMLCanvasElement, scene: MapScene, editor: Editor): () => void {
  const drag = new SelectionDrag(editor)
  const middle = (): ScreenPoint => ({ x: canvas.clientWidth / 2, y: canvas.clientHeight / 2 })
  const beside = ({ x, y }: ScreenPoint, direction: ScreenPoint, pixels: number): ScreenPoint => ({
    x: x + direction.x * pixels,
    y: y + direction.y * pixels,
  })

  const moveSelected = (direction: ScreenPoint, pixels: number): void => {
    const { primary } = editor.selection$.value
    const place = primary === undefined ? undefined : editor.store.table('annotation').get(primary)?.position
    if (!place || editor.readOnly) return
    const to = scene.toLonLat(beside(scene.toScreen(place), direction, pixels))
    drag.start()
    drag.move({ from: place, to, dLon: to.lon - place.lon, dLat: to.lat - place.lat })
    drag.end(false)
  }

  const selectSlot = (slot: number | undefined): void => {
    const key = slot === undefined ? undefined : editor.mirror.keyAt(slot)
    if (key !== undefined) editor.select(selectionOf([key]))
  }

  /** The most important ones come first, as they are labelled. */
  const goThrough = (step: 1 | -1): void => {
    const keys = [...new Set(scene.labelled.flatMap((slot) => editor.mirror.keyAt(slot) ?? []))].toSorted()
    if (keys.length === 0) return
    const { primary } = editor.selection$.value
    // By key: the labels are chosen anew for each selection, and would go round in circles by their own order.
    const at = primary === undefined ? -1 : keys.indexOf(primary)
    const next = keys.at(at < 0 ? (step > 0 ? -1 : 0) : (at - step) % keys.length)
    if (next !== undefined) editor.select(selectionOf([next]))
  }

  const onKeyDown = (event: KeyboardEvent): void => {
    const direction = directions[event.key]
    const modified = event.ctrlKey || event.metaKey || event.altKey
    const times = event.shiftKey ? farther : 1
    if (direction && modified) moveSelected(direction, movePixels * times)
    else if (direction) {
      const center = scene.toLonLat(beside(middle(), direction, panPixels * times))
      scene.setView({ center, zoom: scene.view.zoom })
    } else if (modified) return
    else if (event.key === '+' || event.key === '=') scene.setView({ ...scene.view, zoom: scene.view.zoom + zoomSteps })
    else if (event.key === '-') scene.setView({ ...scene.view, zoom: scene.view.zoom - zoomSteps })
    else if (event.key === 'PageDown') goThrough(1)
    else if (event.key === 'PageUp') goThrough(-1)
    else if (event.key === ' ') selectSlot(scene.pick(middle(), reachPixels))
    else return
    event.preventDefault()
  }
  canvas.addEventListener('keydown', onKeyDown)
  return () => canvas.removeEventListener('keydown', onKeyDown)
}
