import type { ScreenPoint } from './map-view.ts'
import type { ScreenRect } from './slot-index.ts'

/** What the pointer means; the scene answers whether a press starts a drag. */
export interface PointerActions {
  /** A press at a point: true drags what is there, false pans. */
  startsDrag(point: ScreenPoint): boolean
  dragStart(point: ScreenPoint): void
  dragMove(from: ScreenPoint, to: ScreenPoint): void
  dragEnd(cancelled: boolean): void
  pan(dx: number, dy: number): void
  zoom(steps: number, point: ScreenPoint): void
  click(point: ScreenPoint, additive: boolean): void
  hover(point: ScreenPoint | undefined): void
  /** `done` on release; undefined when given up. */
  rectangle(rect: ScreenRect | undefined, done: boolean, additive: boolean): void
}

type Mode = 'idle' | 'pressed' | 'pan' | 'drag' | 'rectangle' | 'pinch'

const clickDistance = 4

const rectOf = (a: ScreenPoint, b: ScreenPoint): ScreenRect => ({
  left: Math.min(a.x, b.x),
  right: Math.max(a.x, b.x),
  top: Math.min(a.y, b.y),
  bottom: Math.max(a.y, b.y),
})

/** Turns pointer and wheel events on an element into actions. Returns what removes the listeners. */
export function listenToPointer(element: HTMLElement, actions: PointerActions): () => void {
  const pointers = new Map<number, ScreenPoint>()
  const controller = new AbortController()
  let mode: Mode = 'idle'
  let start: ScreenPoint = { x: 0, y: 0 }
  let last: ScreenPoint = start

  const pointOf = (event: MouseEvent): ScreenPoint => {
    const box = element.getBoundingClientRect()
    return { x: event.clientX - box.left, y: event.clientY - box.top }
  }

  const pinch = (id: number, point: ScreenPoint): void => {
    const other = [...pointers].find(([otherId]) => otherId !== id)?.[1]
    const before = pointers.get(id)
    if (!other || !before) return
    const distance = (a: ScreenPoint): number => Math.max(Math.hypot(a.x - other.x, a.y - other.y), 1)
    actions.pan((point.x - before.x) / 2, (point.y - before.y) / 2)
    const middle = { x: (point.x + other.x) / 2, y: (point.y + other.y) / 2 }
    actions.zoom(Math.log2(distance(point) / distance(before)), middle)
  }

  const move = (event: PointerEvent): void => {
    const point = pointOf(event)
    if (!pointers.has(event.pointerId)) {
      actions.hover(point)
      return
    }
    if (mode === 'pinch') pinch(event.pointerId, point)
    pointers.set(event.pointerId, point)
    if (mode === 'pressed' && Math.hypot(point.x - start.x, point.y - start.y) >= clickDistance) {
      mode = event.shiftKey ? 'rectangle' : actions.startsDrag(start) ? 'drag' : 'pan'
      if (mode === 'drag') actions.dragStart(start)
      else actions.hover(undefined)
    }
    if (mode === 'pan') actions.pan(point.x - last.x, point.y - last.y)
    if (mode === 'drag') actions.dragMove(start, point)
    if (mode === 'rectangle') actions.rectangle(rectOf(start, point), false, event.ctrlKey || event.metaKey)
    last = point
  }

  const press = (event: PointerEvent): void => {
    if (event.button !== 0) return
    element.setPointerCapture(event.pointerId)
    const point = pointOf(event)
    pointers.set(event.pointerId, point)
    if (pointers.size > 1) {
      cancel()
      mode = 'pinch'
      return
    }
    mode = 'pressed'
    start = last = point
  }

  const cancel = (): void => {
    if (mode === 'drag') actions.dragEnd(true)
    if (mode === 'rectangle') actions.rectangle(undefined, true, false)
    mode = 'idle'
  }

  const release = (event: PointerEvent): void => {
    if (!pointers.delete(event.pointerId)) return
    const point = pointOf(event)
    const additive = event.ctrlKey || event.metaKey
    if (mode === 'pressed') actions.click(point, additive || event.shiftKey)
    if (mode === 'drag') actions.dragEnd(false)
    if (mode === 'rectangle') actions.rectangle(rectOf(start, point), true, additive)
    if (pointers.size === 0) mode = 'idle'
  }

  const wheel = (event: WheelEvent): void => {
    event.preventDefault()
    const pixels = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? event.deltaY * 16 : event.deltaY
    // A pinch on a trackpad comes as a wheel with ctrl held, in much smaller steps.
    actions.zoom(-pixels * (event.ctrlKey ? 0.012 : 0.0025), pointOf(event))
  }

  const options = { signal: controller.signal }
  element.addEventListener('pointerdown', press, options)
  element.addEventListener('pointermove', move, options)
  element.addEventListener('pointerup', release, options)
  element.addEventListener(
    'pointercancel',
    (event) => {
      pointers.delete(event.pointerId)
      cancel()
    },
    options,
  )
  element.addEventListener('pointerleave', () => actions.hover(undefined), options)
  element.addEventListener('wheel', wheel, { ...options, passive: false })
  element.ownerDocument.addEventListener(
    'keydown',
    (event) => {
      if (event.key !== 'Escape' || (mode !== 'drag' && mode !== 'rectangle')) return
      cancel()
      // It has done its work: it does not cancel the draft as well.
      event.preventDefault()
    },
    options,
  )
  return () => controller.abort()
}
