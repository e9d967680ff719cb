import type { KeyboardEvent, PointerEvent } from 'react'
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

/** The bar beside a panel: dragged, or moved by the arrow keys, it resizes the panel; Enter closes it. */
export function PanelSeparator({ layout, panel }: PanelProps) {
  const { size } = useSubject(layout.states$)[panel]
  const { title, least, most } = panelLimits[panel]
  const { axis, sign } = sides[panel]
  const onPointerDown = (event: PointerEvent<HTMLDivElement>): void => {
    const bar = event.currentTarget
    const placeOf = (at: { readonly clientX: number; readonly clientY: number }): number =>
      axis === 'x' ? at.clientX : at.clientY
    const start = placeOf(event)
    const move = (moved: globalThis.PointerEvent): void => layout.resize(panel, size + (placeOf(moved) - start) * sign)
    bar.setPointerCapture(event.pointerId)
    bar.addEventListener('pointermove', move)
    bar.addEventListener('lostpointercapture', () => bar.removeEventListener('pointermove', move), { once: true })
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    const [back, forth] = axis === 'x' ? ['ArrowLeft', 'ArrowRight'] : ['ArrowUp', 'ArrowDown']
    if (event.key === back) layout.resize(panel, size - stepPixels * sign)
    else if (event.key === forth) layout.resize(panel, size + stepPixels * sign)
    else if (event.key === 'Home') layout.resize(panel, least)
    else if (event.key === 'End') layout.resize(panel, most)
    else if (event.key === 'Enter') layout.setOpen(panel, false)
    else return
    event.preventDefault()
  }
  return (
    <div
      className="separator"
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
      onDoubleClick={() => layout.setOpen(panel, false)}
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
      onClick={() => {
        layout.setOpen(panel, false)
        // What had the focus is gone: it goes to what opens the panel again.
        document.querySelector<HTMLElement>(`[data-testid=show-${panel}]`)?.focus()
      }}
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
