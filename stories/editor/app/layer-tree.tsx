import { useDeferredValue, useMemo, useState } from 'react'
import { sql } from 'rowcast'
import { type Layer, useQuery, useRows, useStore } from './editor-store.ts'
import type { Editor } from './editor.ts'
import { Icon } from './icons.tsx'
import { useSubject } from './use-subject.ts'

interface Branch {
  readonly layer: Layer
  readonly children: readonly Layer[]
}

function branchesOf(layers: readonly Layer[], words: string): Branch[] {
  const fits = (layer: Layer): boolean => layer.name.toLowerCase().includes(words)
  return layers
    .filter((layer) => layer.parentId === null)
    .flatMap((layer) => {
      const children = layers.filter((child) => child.parentId === layer.id)
      const shown = words === '' || fits(layer) ? children : children.filter(fits)
      return words === '' || fits(layer) || shown.length > 0 ? [{ layer, children: shown }] : []
    })
}

/** Continents with their countries: what is drawn, and of which the table shows the annotations. */
export function LayerTree({ editor }: { readonly editor: Editor }) {
  const layers = useRows('layer', { orderBy: ['rank', 'name'] })
  const counts = useQuery<{ layerId: string | null; n: number }>(
    sql`select layerId, count(*) as n from annotation group by layerId`,
  )
  const [typed, setTyped] = useState('')
  const words = useDeferredValue(typed.trim().toLowerCase())
  // What is open in the tree is each viewer's own: it is no edit of the project.
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set())
  const chosen = useSubject(editor.layerFilter$)
  const branches = useMemo(() => branchesOf(layers, words), [layers, words])
  const own = useMemo(() => new Map(counts.map(({ layerId, n }) => [layerId, n])), [counts])
  const total = useMemo(() => {
    const sums = new Map<string, number>()
    for (const layer of layers) {
      const n = own.get(layer.id) ?? 0
      for (const id of [layer.id, layer.parentId]) if (id !== null) sums.set(id, (sums.get(id) ?? 0) + n)
    }
    return sums
  }, [layers, own])

  const toggle = (id: string): void => {
    const next = new Set(open)
    if (!next.delete(id)) next.add(id)
    setOpen(next)
  }
  return (
    <section className="side" aria-label="Layers">
      <header className="side-head">
        <Icon name="layers" />
        <h2>Layers</h2>
        <span className="dim">{layers.length}</span>
      </header>
      <label className="filter">
        <Icon name="search" />
        <input
          type="search"
          placeholder="Filter layers"
          aria-label="Filter layers"
          data-testid="layer-filter"
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
        />
      </label>
      <div className="tree" role="tree">
        {branches.length === 0 && <p className="empty">No layer is called “{typed}”.</p>}
        {branches.map(({ layer, children }) => {
          const expanded = words !== '' || open.has(layer.id)
          return (
            <div key={layer.id} role="group">
              <LayerRow
                editor={editor}
                layer={layer}
                count={total.get(layer.id) ?? 0}
                depth={0}
                hiddenAbove={false}
                chosen={chosen === layer.id}
                expanded={expanded}
                onToggle={() => toggle(layer.id)}
              />
              {expanded &&
                children.map((child) => (
                  <LayerRow
                    key={child.id}
                    editor={editor}
                    layer={child}
                    count={total.get(child.id) ?? 0}
                    depth={1}
                    hiddenAbove={!layer.visible}
                    chosen={chosen === child.id}
                  />
                ))}
            </div>
          )
        })}
      </div>
    </section>
  )
}

interface LayerRowProps {
  readonly editor: Editor
  readonly layer: Layer
  readonly count: number
  readonly depth: number
  readonly hiddenAbove: boolean
  readonly chosen: boolean
  readonly expanded?: boolean
  readonly onToggle?: () => void
}

function LayerRow({ editor, layer, count, depth, hiddenAbove, chosen, expanded, onToggle }: LayerRowProps) {
  const store = useStore()
  const shown = layer.visible && !hiddenAbove
  const show = (): void => {
    const label = `${layer.visible ? 'Hide' : 'Show'} ${layer.name}`
    editor.attempt(() =>
      store.transaction(() => store.table('layer').set(layer.id, 'visible', !layer.visible), { label }),
    )
  }
  return (
    <div
      className="layer"
      role="treeitem"
      aria-expanded={expanded}
      aria-selected={chosen}
      data-testid="layer-row"
      data-layer={layer.id}
      data-depth={depth}
      data-shown={shown}
    >
      {onToggle ? (
        <button
          type="button"
          className="layer-open"
          aria-label={`${expanded ? 'Close' : 'Open'} ${layer.name}`}
          aria-expanded={expanded}
          onClick={onToggle}
        >
          <Icon name="chevron" />
        </button>
      ) : (
        <span className="layer-open" />
      )}
      <button
        type="button"
        className="layer-name"
        title="Show in the table"
        onClick={() => editor.layerFilter$.next(chosen ? undefined : layer.id)}
      >
        <span className="swatch" style={{ background: layer.color }} />
        <span className="layer-text">{layer.name}</span>
        <span className="layer-count">{count.toLocaleString('en')}</span>
      </button>
      <button
        type="button"
        className="layer-eye"
        aria-label={`${layer.visible ? 'Hide' : 'Show'} ${layer.name}`}
        aria-pressed={!layer.visible}
        disabled={editor.readOnly}
        data-testid={`visible-${layer.id}`}
        onClick={show}
      >
        <Icon name={layer.visible ? 'eye' : 'eyeOff'} />
      </button>
    </div>
  )
}
