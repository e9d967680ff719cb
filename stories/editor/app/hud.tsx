import { useEffect, useRef, useState } from 'react'
import type { MapScene } from '../scene/index.ts'
import type { Editor } from './editor.ts'
import { useSubject } from './use-subject.ts'

interface Figures {
  readonly zoom: number
  readonly fps: number
  readonly frameMs: number
  readonly labels: number
  readonly count: number
}

const degrees = (value: number, positive: string, negative: string): string =>
  `${Math.abs(value).toFixed(4)}° ${value < 0 ? negative : positive}`

/** What the scene does, and where the pointer is. Figures are read a few times a second, whatever the frame rate. */
export function Hud({ scene, editor }: { readonly scene: MapScene; readonly editor: Editor }) {
  const [figures, setFigures] = useState<Figures>()
  const place = useRef<HTMLSpanElement>(null)
  const root = useRef<HTMLDivElement>(null)
  const { ids } = useSubject(editor.selection$)

  useEffect(() => {
    let frames = scene.stats.frames
    let at = performance.now()
    const read = (): void => {
      const { stats, view } = scene
      const now = performance.now()
      const fps = Math.round(((stats.frames - frames) * 1000) / Math.max(now - at, 1))
      frames = stats.frames
      at = now
      setFigures({ zoom: view.zoom, fps, frameMs: stats.frameMs, labels: stats.labels, count: editor.mirror.count })
    }
    read()
    const timer = setInterval(read, 300)
    return () => clearInterval(timer)
  }, [scene, editor])

  useEffect(() => {
    const surface = root.current?.parentElement
    if (!surface) return undefined
    const show = (event: PointerEvent): void => {
      const box = surface.getBoundingClientRect()
      const { lon, lat } = scene.toLonLat({ x: event.clientX - box.left, y: event.clientY - box.top })
      if (place.current) place.current.textContent = `${degrees(lat, 'N', 'S')}  ${degrees(lon, 'E', 'W')}`
    }
    const hide = (): void => {
      if (place.current) place.current.textContent = ''
    }
    surface.addEventListener('pointermove', show)
    surface.addEventListener('pointerleave', hide)
    return () => {
      surface.removeEventListener('pointermove', show)
      surface.removeEventListener('pointerleave', hide)
    }
  }, [scene])

  return (
    <div ref={root} className="hud">
      {figures && (
        <div className="hud-figures">
          <span>
            <b>{figures.count.toLocaleString('en')}</b> annotations
          </span>
          <span>
            <b data-testid="selection-count">{ids.length.toLocaleString('en')}</b> selected
          </span>
          <span>
            <b>{figures.labels}</b> labels
          </span>
          <span>
            zoom <b>{figures.zoom.toFixed(2)}</b>
          </span>
          <span title="Frames drawn in the last second; nothing is drawn while nothing changes">
            <b>{figures.fps > 0 ? figures.fps : '–'}</b> fps
          </span>
          <span title="Script time of the last frame">
            <b>{figures.frameMs.toFixed(1)}</b> ms
          </span>
        </div>
      )}
      <div className="hud-foot">
        <span ref={place} className="hud-place" />
        <span className="hud-credit">
          Places ©{' '}
          <a href="https://www.geonames.org" target="_blank" rel="noreferrer">
            GeoNames
          </a>
          , CC BY 4.0 · Outlines{' '}
          <a href="https://www.naturalearthdata.com" target="_blank" rel="noreferrer">
            Natural Earth
          </a>
        </span>
      </div>
    </div>
  )
}
