import { useEffect, useRef, useState } from 'react'
import { combineLatest, Subscription } from 'rxjs'
import { createMapScene, type MapScene } from '../scene/index.ts'
import { flyTo, stopFlight } from './camera.ts'
import { SelectionDrag } from './drag.ts'
import type { Editor } from './editor.ts'
import { Hud } from './hud.tsx'
import { Icon } from './icons.tsx'
import { listenToMapKeys, mapKeysText } from './map-keys.ts'
import { nothing, selectionOf, toggled } from './selection.ts'
import { useSubject } from './use-subject.ts'

/** Puts the scene on a canvas, between the mirror and the editor's state. Returns it with what takes it away again. */
function mountScene(canvas: HTMLCanvasElement, editor: Editor): { scene: MapScene; unmount: () => void } {
  const { store, mirror } = editor
  const annotations = store.table('annotation')
  const drag = new SelectionDrag(editor)
  const keyAt = (slot: number): string | undefined => mirror.keyAt(slot)
  const keysAt = (slots: readonly number[]): string[] => slots.flatMap((slot) => keyAt(slot) ?? [])

  const scene = createMapScene(canvas, {
    labelOf: (slot) => {
      const key = keyAt(slot)
      return key === undefined ? undefined : annotations.get(key)
    },
    canDrag: (slot) => {
      const key = keyAt(slot)
      return !editor.readOnly && key !== undefined && annotations.get(key)?.locked === false
    },
    onPick: (slot, additive) => {
      const key = slot === undefined ? undefined : keyAt(slot)
      if (key !== undefined) editor.select(additive ? toggled(editor.selection$.value, [key]) : selectionOf([key]))
      else if (!additive) editor.select(nothing)
    },
    onSelectRect: (slots, additive) => {
      const keys = keysAt(slots)
      editor.select(additive ? toggled(editor.selection$.value, keys) : selectionOf(keys))
    },
    onDragStart: (slot) => {
      const key = keyAt(slot)
      if (key !== undefined && !editor.selection$.value.ids.includes(key)) editor.select(selectionOf([key]))
      editor.dragging$.next(true)
      drag.start()
    },
    onDragMove: (moved) => drag.move(moved),
    onDragEnd: (cancelled) => {
      editor.dragging$.next(false)
      drag.end(cancelled)
    },
  })
  const stop = (): void => stopFlight(scene)
  canvas.addEventListener('pointerdown', stop)
  canvas.addEventListener('keydown', stop)
  const stopKeys = listenToMapKeys(canvas, scene, editor)
  canvas.addEventListener('wheel', stop, { passive: true })
  scene.setWorld(editor.world)
  scene.setInstances(mirror)

  const view = editor.startView ?? store.value('scene').get()
  if (view) scene.setView({ center: view.center, zoom: view.zoom })

  const showSelection = (): void =>
    scene.setSelection(editor.selection$.value.ids.map((id) => mirror.slotOf(id)).filter((slot) => slot >= 0))
  const showGuests = (): void =>
    scene.setGuests(
      (editor.collaboration?.guests$.value ?? []).map(({ name, color, selection }) => ({
        name,
        color,
        slots: selection.map((id) => mirror.slotOf(id)).filter((slot) => slot >= 0),
      })),
    )
  const subscriptions = new Subscription()
  subscriptions.add(editor.collaboration?.guests$.subscribe(showGuests))
  // Within the frame in which the mirror is flushed: asking for one would draw a frame late.
  subscriptions.add(mirror.flush$.subscribe(() => scene.renderNow()))
  subscriptions.add(editor.selection$.subscribe(showSelection))
  subscriptions.add(
    annotations.changes$.subscribe(({ inserted, deleted }) => {
      if (inserted.length > 0 || deleted.length > 0) {
        showSelection()
        showGuests()
      }
      // Labels and leader lines are read from the rows: what changes them need not be in the mirror.
      scene.render()
    }),
  )
  subscriptions.add(
    combineLatest([store.table('layer').live().rows$, editor.visibility.choices$]).subscribe(([layers]) =>
      scene.setLayers(editor.layers.opacityOf(layers, (layer) => editor.visibility.isVisible(layer))),
    ),
  )
  subscriptions.add(
    store.value('scene').value$.subscribe((settings) => {
      if (!settings) return
      const { background, land, coast, border, grid, labels } = settings
      scene.setStyle({ background, land, coast, border, grid: grid.color, gridStep: grid.visible ? grid.step : 0 })
      scene.setLabelLimit(labels.visible ? labels.limit : 0)
    }),
  )
  return {
    scene,
    unmount: () => {
      stopKeys()
      canvas.removeEventListener('pointerdown', stop)
      canvas.removeEventListener('keydown', stop)
      canvas.removeEventListener('wheel', stop)
      subscriptions.unsubscribe()
      scene.dispose()
    },
  }
}

export function MapPanel({ editor }: { readonly editor: Editor }) {
  const host = useRef<HTMLDivElement>(null)
  const [scene, setScene] = useState<MapScene>()
  const tool = useSubject(editor.tool$)

  useEffect(() => {
    const element = host.current
    if (!element) return undefined
    // A canvas whose WebGL context was given back can't be used again.
    const canvas = element.ownerDocument.createElement('canvas')
    canvas.className = 'map-canvas'
    canvas.tabIndex = 0
    canvas.setAttribute('role', 'application')
    canvas.setAttribute('aria-label', 'Map')
    canvas.setAttribute('aria-description', mapKeysText)
    canvas.dataset['testid'] = 'map'
    element.prepend(canvas)
    const mounted = mountScene(canvas, editor)
    editor.setScene(mounted.scene)
    setScene(mounted.scene)
    return () => {
      mounted.unmount()
      canvas.remove()
      editor.setScene(undefined)
    }
  }, [editor])

  return (
    <section className="map" data-tool={tool} aria-label="Map">
      <div ref={host} className="map-host" />
      {tool === 'add' && scene && (
        <div
          className="map-add"
          data-testid="add-surface"
          onClick={(event) => {
            const box = event.currentTarget.getBoundingClientRect()
            editor.add(scene.toLonLat({ x: event.clientX - box.left, y: event.clientY - box.top }))
          }}
        />
      )}
      {!editor.readOnly && (
        <div className="map-tools" role="group" aria-label="Tools">
          <button
            type="button"
            title="Select and move (V)"
            aria-label="Select and move"
            aria-pressed={tool === 'select'}
            data-testid="tool-select"
            onClick={() => editor.tool$.next('select')}
          >
            <Icon name="cursor" />
          </button>
          <button
            type="button"
            title="Add an annotation (A)"
            aria-label="Add an annotation"
            aria-pressed={tool === 'add'}
            data-testid="tool-add"
            onClick={() => editor.tool$.next('add')}
          >
            <Icon name="plus" />
          </button>
          <span className="map-tools-rule" />
          <DeleteButton editor={editor} />
        </div>
      )}
      {scene && (
        <div className="map-zoom" role="group" aria-label="Zoom">
          <button
            type="button"
            title="Zoom in"
            aria-label="Zoom in"
            onClick={() => flyTo(scene, scene.view.center, scene.view.zoom + 1)}
          >
            <Icon name="plus" />
          </button>
          <button
            type="button"
            title="Zoom out"
            aria-label="Zoom out"
            onClick={() => scene.setView({ ...scene.view, zoom: scene.view.zoom - 1 })}
          >
            <Icon name="minus" />
          </button>
          <button
            type="button"
            title="Whole world"
            aria-label="Whole world"
            onClick={() => {
              const start = editor.store.value('scene').get()
              if (start) scene.setView({ center: start.center, zoom: start.zoom })
            }}
          >
            <Icon name="globe" />
          </button>
        </div>
      )}
      {tool === 'add' && (
        <div className="map-hint">
          Click the map, or press Enter for its middle, to place the annotation · Esc to give up
        </div>
      )}
      {scene && <Hud scene={scene} editor={editor} />}
    </section>
  )
}

function DeleteButton({ editor }: { readonly editor: Editor }) {
  const { ids } = useSubject(editor.selection$)
  return (
    <button
      type="button"
      title="Delete what is selected (Del)"
      aria-label="Delete what is selected"
      data-testid="delete"
      disabled={ids.length === 0}
      onClick={() => editor.deleteSelected()}
    >
      <Icon name="trash" />
    </button>
  )
}
