import type { PlacedLabel } from './label-layout.ts'
import type { ScreenRect } from './slot-index.ts'

/** What someone else has selected, where it is on the screen. */
export interface GuestMark {
  readonly name: string
  readonly color: string
  /** Rings around icons, in CSS pixels. The name stands at the last. */
  readonly rings: readonly { readonly x: number; readonly y: number; readonly radius: number }[]
}

/** A 2D canvas over the scene: sharp text, and the rectangle of a selection. */
export class Overlay {
  readonly context: CanvasRenderingContext2D
  readonly #canvas: HTMLCanvasElement
  #pixelRatio = 1

  constructor(below: HTMLCanvasElement) {
    this.#canvas = below.ownerDocument.createElement('canvas')
    this.#canvas.style.cssText = 'position:absolute;inset:0;width:100%;height:100%;pointer-events:none'
    this.#canvas.setAttribute('aria-hidden', 'true')
    const context = this.#canvas.getContext('2d')
    if (!context) throw new Error('The browser has no 2D canvas.')
    this.context = context
    below.after(this.#canvas)
  }

  resize(width: number, height: number, pixelRatio: number): void {
    this.#pixelRatio = pixelRatio
    this.#canvas.width = Math.round(width * pixelRatio)
    this.#canvas.height = Math.round(height * pixelRatio)
  }

  draw(labels: readonly PlacedLabel[], rect: ScreenRect | undefined, guests: readonly GuestMark[]): void {
    const { context } = this
    context.setTransform(1, 0, 0, 1, 0, 0)
    context.clearRect(0, 0, this.#canvas.width, this.#canvas.height)
    context.scale(this.#pixelRatio, this.#pixelRatio)
    context.textBaseline = 'middle'
    context.lineJoin = 'round'
    for (let index = labels.length - 1; index >= 0; index--) {
      const label = labels[index]
      if (label) this.#label(label)
    }
    for (const guest of guests) this.#guest(guest)
    if (rect) this.#selection(rect)
  }

  dispose(): void {
    this.#canvas.remove()
  }

  #label({ source: { text }, text: said, font, width, x: exactX, y: exactY }: PlacedLabel): void {
    const { context } = this
    const x = Math.round(exactX * this.#pixelRatio) / this.#pixelRatio
    const y = Math.round(exactY * this.#pixelRatio) / this.#pixelRatio
    const limit = text.maxWidth > 0 ? text.maxWidth : undefined
    context.font = font
    context.letterSpacing = `${text.font.letterSpacing}px`
    if (text.background.visible) this.#background(text, x, y, width)
    if (text.halo.visible && text.halo.width > 0) {
      context.globalAlpha = (text.opacity * text.halo.opacity) / 1e4
      context.strokeStyle = text.halo.color
      context.lineWidth = text.halo.width
      context.strokeText(said, x, y, limit)
    }
    context.globalAlpha = text.opacity / 100
    context.fillStyle = text.color
    context.fillText(said, x, y, limit)
    context.globalAlpha = 1
  }

  #background(text: PlacedLabel['source']['text'], x: number, y: number, width: number): void {
    const { context } = this
    const { color, opacity, paddingX, paddingY, radius, border } = text.background
    context.globalAlpha = (text.opacity * opacity) / 1e4
    context.beginPath()
    context.roundRect(
      x - paddingX,
      y - text.size * 0.6 - paddingY,
      width + 2 * paddingX,
      text.size * 1.2 + 2 * paddingY,
      radius,
    )
    context.fillStyle = color
    context.fill()
    if (border.width === 0) return
    context.strokeStyle = border.color
    context.lineWidth = border.width
    context.stroke()
  }

  #guest({ name, color, rings }: GuestMark): void {
    const { context } = this
    context.strokeStyle = color
    context.lineWidth = 2
    for (const { x, y, radius } of rings) {
      context.beginPath()
      context.arc(x, y, radius + 4, 0, 2 * Math.PI)
      context.stroke()
    }
    const last = rings.at(-1)
    if (!last) return
    context.font = '600 11px system-ui, "DejaVu Sans", sans-serif'
    context.letterSpacing = '0px'
    const width = context.measureText(name).width
    const left = Math.round(last.x + last.radius + 6)
    const top = Math.round(last.y + last.radius + 6)
    context.fillStyle = color
    context.beginPath()
    context.roundRect(left, top, width + 12, 18, [2, 6, 6, 6])
    context.fill()
    context.fillStyle = '#14181e'
    context.fillText(name, left + 6, top + 9.5)
  }

  #selection({ left, top, right, bottom }: ScreenRect): void {
    const { context } = this
    context.fillStyle = 'rgba(77, 157, 255, 0.12)'
    context.strokeStyle = '#4d9dff'
    context.lineWidth = 1
    context.fillRect(left, top, right - left, bottom - top)
    context.strokeRect(Math.round(left) + 0.5, Math.round(top) + 0.5, right - left, bottom - top)
  }
}
