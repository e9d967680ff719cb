import { fontOf, labelText, type LabelSource } from './label-style.ts'
import { iconOpacity, iconSize } from './icon-rules.ts'
import type { InstanceSource } from './instance-source.ts'
import type { MapView } from './map-view.ts'
import type { ScreenRect, SlotIndex } from './slot-index.ts'

/** A label that found room. Pixels; `x`, `y` is the left middle of the text. */
export interface PlacedLabel {
  readonly slot: number
  readonly source: LabelSource
  readonly text: string
  readonly font: string
  readonly width: number
  readonly x: number
  readonly y: number
  readonly iconX: number
  readonly iconY: number
  readonly iconRadius: number
}

export interface LayoutOptions {
  readonly limit: number
  /** Pixels left free around each label. */
  readonly margin: number
  readonly labelOf: (slot: number) => LabelSource | undefined
  /** Slots labelled first and whatever they cover: the selected and the hovered. */
  readonly first: readonly number[]
}

const overlaps = (a: ScreenRect, b: ScreenRect): boolean =>
  a.left < b.right && a.right > b.left && a.top < b.bottom && a.bottom > b.top

const opposite: Readonly<Record<string, string>> = { right: 'left', left: 'right', top: 'bottom', bottom: 'top' }

/** Chooses the labels to draw, by rank, each where it covers no other. */
export class LabelLayout {
  readonly #widths = new Map<string, number>()
  readonly #context: CanvasRenderingContext2D

  constructor(context: CanvasRenderingContext2D) {
    this.#context = context
  }

  place(source: InstanceSource, index: SlotIndex, view: MapView, options: LayoutOptions): PlacedLabel[] {
    const placed: PlacedLabel[] = []
    const taken: ScreenRect[] = []
    const done = new Set<number>()
    let tried = 0
    const attempt = (slot: number, forced: boolean): void => {
      const x = (index.x(slot) - view.x) * view.worldSize + view.width / 2
      const y = (index.y(slot) - view.y) * view.worldSize + view.height / 2
      if (x < -40 || y < -10 || x > view.width + 10 || y > view.height + 10) return
      if (!forced && ((source.arrays.label[slot * 4 + 2] ?? 0) > view.zoom || !index.isVisible(slot, view.zoom))) return
      if (done.has(slot) || (source.arrays.label[slot * 4 + 3] ?? 0) === 0) return
      tried++
      done.add(slot)
      const style = options.labelOf(slot)
      if (!style?.text.visible || (forced && iconOpacity(source.arrays, slot, view.zoom) < 0.05)) return
      const radius = iconSize(source.arrays, slot, view.zoom) / 2
      const anchors = [style.text.anchor, opposite[style.text.anchor]]
      for (const anchor of anchors) {
        if (anchor === undefined) continue
        const label = this.#labelAt(slot, style, anchor, x, y, radius)
        const box = this.#boxOf(label, options.margin)
        if (!forced && style.visibility.collide && taken.some((other) => overlaps(box, other))) continue
        placed.push(label)
        taken.push(box, { left: x - radius, right: x + radius, top: y - radius, bottom: y + radius })
        return
      }
    }
    for (const slot of options.first) attempt(slot, true)
    for (const slot of index.order) {
      if (placed.length >= options.limit || tried > options.limit * 8) break
      attempt(slot, false)
    }
    return placed
  }

  #labelAt(slot: number, style: LabelSource, anchor: string, x: number, y: number, radius: number): PlacedLabel {
    const text = labelText(style)
    const font = fontOf(style)
    const full = this.#measure(text, font, style.text.font.letterSpacing)
    const width = style.text.maxWidth > 0 ? Math.min(full, style.text.maxWidth) : full
    const { size, offset } = style.text
    const gap = radius + 4
    const left = anchor.includes('left') ? x - gap - width : anchor.includes('right') ? x + gap : x - width / 2
    const middle = anchor.includes('top') ? y - gap - size / 2 : anchor.includes('bottom') ? y + gap + size / 2 : y
    return {
      slot,
      source: style,
      text,
      font,
      width,
      x: left + offset.x,
      y: middle + offset.y,
      iconX: x,
      iconY: y,
      iconRadius: radius,
    }
  }

  #boxOf(label: PlacedLabel, margin: number): ScreenRect {
    const { size, background } = label.source.text
    const sideways = margin + (background.visible ? background.paddingX : 0)
    const half = size * 0.6 + margin / 2 + (background.visible ? background.paddingY : 0)
    return {
      left: label.x - sideways,
      right: label.x + label.width + sideways,
      top: label.y - half,
      bottom: label.y + half,
    }
  }

  #measure(text: string, font: string, letterSpacing: number): number {
    const key = `${font}|${letterSpacing}|${text}`
    const known = this.#widths.get(key)
    if (known !== undefined) return known
    if (this.#widths.size > 20_000) this.#widths.clear()
    this.#context.font = font
    this.#context.letterSpacing = `${letterSpacing}px`
    const width = this.#context.measureText(text).width
    this.#widths.set(key, width)
    return width
  }
}
