import { ColorManagement, OrthographicCamera, Scene, WebGLRenderer } from 'three'
import type { WorldGeometry } from '../data/world.ts'
import { BaseMap, defaultMapStyle, type MapStyle } from './base-map.ts'
import { IconLayer } from './icon-layer.ts'
import { iconSize } from './icon-rules.ts'
import type { InstanceSource } from './instance-source.ts'
import { LabelLayout } from './label-layout.ts'
import type { LabelSource } from './label-style.ts'
import { LeaderLines } from './leader-lines.ts'
import { MapView, type LonLat, type ScreenPoint, type ViewState } from './map-view.ts'
import { type GuestMark, Overlay } from './overlay.ts'
import { listenToPointer } from './pointer-input.ts'
import { SlotIndex, type ScreenRect } from './slot-index.ts'
import { createViewUniforms, updateViewUniforms } from './view-uniforms.ts'

/** A drag of what was pressed on, and of what is selected along with it, since its start. */
export interface SceneDrag {
  readonly from: LonLat
  readonly to: LonLat
  readonly dLon: number
  readonly dLat: number
}

/** Slots are those of the instance source at the time of the event. */
export interface MapSceneOptions {
  /** The row to label a slot with. */
  readonly labelOf?: (slot: number) => LabelSource | undefined
  /** Whether a slot may be dragged; default: all may. */
  readonly canDrag?: (slot: number) => boolean
  /** A click: the slot under it, or undefined; additive with shift or ctrl held. */
  readonly onPick?: (slot: number | undefined, additive: boolean) => void
  readonly onHover?: (slot: number | undefined, point: ScreenPoint | undefined) => void
  readonly onSelectRect?: (slots: readonly number[], additive: boolean) => void
  /** A press on a slot that may be dragged, and the first move; it need not be selected. */
  readonly onDragStart?: (slot: number) => void
  readonly onDragMove?: (drag: SceneDrag) => void
  /** Cancelled by Escape or a second finger. */
  readonly onDragEnd?: (cancelled: boolean) => void
  readonly onViewChange?: (view: ViewState) => void
}

/** What someone else has selected. */
export interface GuestSelection {
  readonly name: string
  readonly color: string
  readonly slots: readonly number[]
}

/** Figures of the last frame. */
export interface SceneStats {
  readonly frames: number
  readonly drawCalls: number
  readonly labels: number
  /** Script time of the last frame in milliseconds, without the GPU's work. */
  readonly frameMs: number
}

/** A map of instanced annotations. It draws when something changed, at most once an animation frame. */
export interface MapScene {
  readonly view: ViewState
  readonly stats: SceneStats
  setView(view: ViewState): void
  setWorld(world: WorldGeometry): void
  setStyle(style: MapStyle): void
  /** The rows to draw; call `render` after they changed. */
  setInstances(source: InstanceSource): void
  /** Opacity of each layer, 0 to 255, by the index that the `layer` attribute holds. */
  setLayers(opacity: Uint8Array): void
  setSelection(slots: Iterable<number>): void
  /** What others have selected, ringed in their colors. */
  setGuests(guests: readonly GuestSelection[]): void
  setLabelLimit(limit: number): void
  /** Asks for a frame, in which the source's dirty ranges are uploaded. */
  render(): void
  /** Draws now. */
  renderNow(): void
  /** Slots whose labels were drawn in the last frame. */
  readonly labelled: readonly number[]
  /** The visible slot at a point, or within so many pixels of it. */
  pick(point: ScreenPoint, reach: number): number | undefined
  toScreen(place: LonLat): ScreenPoint
  toLonLat(point: ScreenPoint): LonLat
  dispose(): void
}

const pickReach = 5

/** Draws on a canvas that fills a positioned parent. Throws where WebGL 2 is missing. */
export function createMapScene(canvas: HTMLCanvasElement, options: MapSceneOptions = {}): MapScene {
  ColorManagement.enabled = false
  const renderer = new WebGLRenderer({ canvas, antialias: true, powerPreference: 'high-performance' })
  renderer.outputColorSpace = 'srgb-linear'
  const scene = new Scene()
  const camera = new OrthographicCamera()
  const view = new MapView()
  const uniforms = createViewUniforms()
  const base = new BaseMap(uniforms)
  const icons = new IconLayer(uniforms)
  const lines = new LeaderLines(uniforms)
  const overlay = new Overlay(canvas)
  const layout = new LabelLayout(overlay.context)
  const index = new SlotIndex()
  scene.add(base.group, icons.mesh, lines.mesh)
  renderer.setClearColor(defaultMapStyle.background)

  let source: InstanceSource | undefined
  let replaced = false
  let selection: readonly number[] = []
  let guests: readonly GuestSelection[] = []
  let hovered: number | undefined
  let hoverPoint: ScreenPoint | undefined
  let hoverStale = false
  let marksStale = false
  let rectangle: ScreenRect | undefined
  let labelLimit = 140
  let labelled: readonly number[] = []
  let frame = 0
  let stats: SceneStats = { frames: 0, drawCalls: 0, labels: 0, frameMs: 0 }

  const resolveHover = (): void => {
    hoverStale = false
    const next = hoverPoint && index.pick(hoverPoint, view, pickReach)
    if (next === hovered) return
    hovered = next
    marksStale = true
    canvas.style.cursor = next === undefined ? '' : selection.includes(next) ? 'move' : 'pointer'
    options.onHover?.(next, hoverPoint)
  }

  const guestMarks = ({ arrays, count }: InstanceSource): GuestMark[] =>
    guests.map(({ name, color, slots }) => ({
      name,
      color,
      rings: slots
        .filter((slot) => slot < count)
        .map((slot) => {
          const [lon = 0, lat = 0] = [arrays.position[slot * 2], arrays.position[slot * 2 + 1]]
          return { ...view.toScreen({ lon, lat }), radius: iconSize(arrays, slot, view.zoom) / 2 }
        }),
    }))

  const takeChanges = (current: InstanceSource): void => {
    const taken = current.takeDirty()
    const dirty = replaced ? { ...taken, resized: true } : taken
    if (dirty.resized) marksStale = true
    replaced = false
    icons.update(current, dirty)
    index.update(current, dirty)
  }

  const renderNow = (): void => {
    cancelAnimationFrame(frame)
    frame = 0
    const started = performance.now()
    updateViewUniforms(uniforms, view, renderer.getPixelRatio())
    let labelCount = 0
    if (source) {
      takeChanges(source)
      if (hoverStale) resolveHover()
      if (marksStale) {
        marksStale = false
        icons.mark(
          selection.filter((slot) => slot < (source?.count ?? 0)),
          hovered,
        )
      }
      // Many labels that are drawn whatever they cover can't be read.
      const named = selection.length <= 8 ? selection : []
      const first = hovered === undefined ? named : [hovered, ...named]
      const labels =
        options.labelOf === undefined
          ? []
          : layout.place(source, index, view, { limit: labelLimit, margin: 5, labelOf: options.labelOf, first })
      lines.update(labels)
      overlay.draw(labels, rectangle, guestMarks(source))
      labelCount = labels.length
      labelled = labels.map(({ slot }) => slot)
    }
    renderer.render(scene, camera)
    stats = {
      frames: stats.frames + 1,
      drawCalls: renderer.info.render.calls,
      labels: labelCount,
      frameMs: performance.now() - started,
    }
  }

  const render = (): void => {
    if (frame === 0) frame = requestAnimationFrame(renderNow)
  }

  const viewChanged = (): void => {
    hoverStale = true
    render()
    options.onViewChange?.(view.state)
  }

  const stopListening = listenToPointer(canvas, {
    startsDrag: (point) => {
      const slot = index.pick(point, view, pickReach)
      return slot !== undefined && (options.canDrag?.(slot) ?? true)
    },
    dragStart: (point) => {
      const slot = index.pick(point, view, pickReach)
      if (slot !== undefined) options.onDragStart?.(slot)
    },
    dragMove: (fromPoint, toPoint) => {
      const from = view.toLonLat(fromPoint)
      const to = view.toLonLat(toPoint)
      options.onDragMove?.({ from, to, dLon: to.lon - from.lon, dLat: to.lat - from.lat })
    },
    dragEnd: (cancelled) => options.onDragEnd?.(cancelled),
    pan: (dx, dy) => {
      view.panBy(dx, dy)
      viewChanged()
    },
    zoom: (steps, point) => {
      view.zoomBy(steps, point)
      viewChanged()
    },
    click: (point, additive) => options.onPick?.(index.pick(point, view, pickReach), additive),
    hover: (point) => {
      hoverPoint = point
      hoverStale = true
      render()
    },
    rectangle: (rect, done, additive) => {
      rectangle = done ? undefined : rect
      if (done && rect) options.onSelectRect?.(index.within(rect, view), additive)
      render()
    },
  })

  const resize = (): void => {
    const box = canvas.parentElement?.getBoundingClientRect() ?? canvas.getBoundingClientRect()
    const pixelRatio = Math.min(devicePixelRatio, 2)
    renderer.setPixelRatio(pixelRatio)
    renderer.setSize(box.width, box.height)
    overlay.resize(box.width, box.height, pixelRatio)
    view.resize(box.width, box.height)
    // A resized canvas is blank: draw within the same frame.
    renderNow()
    options.onViewChange?.(view.state)
  }
  const observer = new ResizeObserver(resize)
  observer.observe(canvas.parentElement ?? canvas)
  canvas.style.touchAction = 'none'

  return {
    get view() {
      return view.state
    },
    get stats() {
      return stats
    },
    setView(state) {
      view.set(state)
      viewChanged()
    },
    setWorld(world) {
      base.setWorld(world)
      render()
    },
    setStyle(style) {
      base.setStyle(style)
      renderer.setClearColor(style.background)
      render()
    },
    setInstances(next) {
      source = next
      replaced = true
      render()
    },
    setLayers(opacity) {
      icons.setLayers(opacity)
      index.setLayers(opacity)
      render()
    },
    setSelection(slots) {
      selection = [...slots]
      marksStale = true
      render()
    },
    setGuests(next) {
      guests = next
      render()
    },
    setLabelLimit(limit) {
      labelLimit = limit
      render()
    },
    get labelled() {
      return labelled
    },
    pick: (point, reach) => index.pick(point, view, reach),
    render,
    renderNow,
    toScreen: (place) => view.toScreen(place),
    toLonLat: (point) => view.toLonLat(point),
    dispose() {
      cancelAnimationFrame(frame)
      observer.disconnect()
      stopListening()
      base.dispose()
      icons.dispose()
      lines.dispose()
      overlay.dispose()
      renderer.dispose()
    },
  }
}
