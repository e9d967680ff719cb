import { type KeyboardEvent, type PointerEvent, useEffectEvent, useLayoutEffect, useRef, useState } from 'react'
import { Icon, type IconName } from './icons.tsx'
import { type PanelId, type PanelLayout, panelLimits } from './panel-layout.ts'
import { useSubject } from './use-subject.ts'

interface PanelProps {
  readonly layout: PanelLayout
  readonly panel: PanelId
}

/** Where a panel lies from its separator: it grows when the separator is moved away from it. */
const sides: Readonly<Record<PanelId, { readonly axis: 'x' | 'y'; readonly sign: 1 | -1 }>> = {
  layers: { axis: 'x', sign: 1 },
  history: { axis: 'y', sign: -1 },
  table: { axis: 'y', sign: -1 },
  properties: { axis: 'x', sign: -1 },
}

const stepPixels = 16

/** The element that a separator makes larger and smaller: the column that it stands in, or what is below it. */
function panelOf(bar: HTMLElement): Element | null {
  return bar.dataset['axis'] === 'x' ? bar.parentElement : bar.nextElementSibling
}

/** Closes a panel: what had the focus is gone with it, and what opens the panel again gets it. */
function close(layout: PanelLayout, panel: PanelId): void {
  layout.setOpen(panel, false)
  document.querySelector<HTMLElement>(`[data-testid=show-${panel}]`)?.focus()
}

/** How large a panel is: not as large as it was made where the window has no room for that. */
function useShownSize(panel: PanelId) {
  const bar = useRef<HTMLDivElement>(null)
  const [size, setSize] = useState(0)
  const measure = useEffectEvent((): void => {
    const box = bar.current && panelOf(bar.current)?.getBoundingClientRect()
    if (box) setSize(Math.round(sides[panel].axis === 'x' ? box.width : box.height))
  })
  // At once after each change, so that two keys in one frame are two steps.
  useLayoutEffect(() => measure())
  useLayoutEffect(() => {
    const element = bar.current && panelOf(bar.current)
    if (!element) return undefined
    const observer = new ResizeObserver(() => measure())
    observer.observe(element)
    return () => observer.disconnect()
  }, [])
  return { bar, size }
}

/** The bar beside a panel: dragged, or moved by the arrow keys, it resizes the panel; Enter closes it. */
export function PanelSeparator({ layout, panel }: PanelProps) {
  const { bar, size } = useShownSize(panel)
  // What it is made to be changes what it is.
  useSubject(layout.states$)
  const { title, least, most } = panelLimits[panel]
  const { axis, sign } = sides[panel]
  const onPointerDown = (event: PointerEvent<HTMLDivElement>): void => {
    const handle = event.currentTarget
    const placeOf = (at: { readonly clientX: number; readonly clientY: number }): number =>
      axis === 'x' ? at.clientX : at.clientY
    const start = placeOf(event)
    const move = (moved: globalThis.PointerEvent): void => layout.resize(panel, size + (placeOf(moved) - start) * sign)
    handle.setPointerCapture(event.pointerId)
    handle.addEventListener('pointermove', move)
    handle.addEventListener('lostpointercapture', () => handle.removeEventListener('pointermove', move), { once: true })
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    const [back, forth] = axis === 'x' ? ['ArrowLeft', 'ArrowRight'] : ['ArrowUp', 'ArrowDown']
    if (event.key === back) layout.resize(panel, size - stepPixels * sign)
    else if (event.key === forth) layout.resize(panel, size + stepPixels * sign)
    else if (event.key === 'Home') layout.resize(panel, least)
    else if (event.key === 'End') layout.resize(panel, most)
    else if (event.key === 'Enter') close(layout, panel)
    else return
    event.preventDefault()
  }
  return (
    <div
      ref={bar}
      className="separator"
      data-axis={axis}
      role="separator"
      tabIndex={0}
      aria-label={`Size of ${title}`}
      aria-orientation={axis === 'x' ? 'vertical' : 'horizontal'}
      aria-valuenow={size}
      aria-valuemin={least}
      aria-valuemax={most}
      aria-valuetext={`${size} pixels`}
      title="Drag to resize; double-click to close"
      data-panel={panel}
      data-testid={`separator-${panel}`}
      data-keeps-keys
      onPointerDown={onPointerDown}
      onDoubleClick={() => close(layout, panel)}
      onKeyDown={onKeyDown}
    />
  )
}

/** Closes the panel that it stands in. */
export function CloseButton({ layout, panel }: PanelProps) {
  const label = `Close ${panelLimits[panel].title}`
  return (
    <button
      type="button"
      className="icon-button panel-close"
      title={label}
      aria-label={label}
      data-testid={`close-${panel}`}
      onClick={() => close(layout, panel)}
    >
      <Icon name="close" />
    </button>
  )
}

const icons: Readonly<Record<PanelId, IconName>> = {
  layers: 'layers',
  history: 'history',
  table: 'list',
  properties: 'sliders',
}

/** Shows and hides each panel. */
export function PanelToggles({ layout }: { readonly layout: PanelLayout }) {
  const states = useSubject(layout.states$)
  return (
    <div className="button-group" role="group" aria-label="Panels">
      {(['layers', 'history', 'table', 'properties'] as const).map((panel) => {
        const { open } = states[panel]
        const { title } = panelLimits[panel]
        return (
          <button
            key={panel}
            type="button"
            className="icon-button panel-toggle"
            title={`${open ? 'Hide' : 'Show'} ${title}`}
            aria-label={title}
            aria-pressed={open}
            data-testid={`show-${panel}`}
            onClick={() => layout.setOpen(panel, !open)}
          >
            <Icon name={icons[panel]} />
          </button>
        )
      })}
    </div>
  )
}
