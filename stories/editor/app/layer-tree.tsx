import { type KeyboardEvent, useDeferredValue, useId, useMemo, useRef, useState } from 'react'
import { sql } from 'rowcast'
import { type Layer, useQuery, useRows } from './editor-store.ts'
import type { Editor } from './editor.ts'
import { fold } from './fold.ts'
import { Icon } from './icons.tsx'
import { CloseButton } from './panel-layout-controls.tsx'
import { useSubject } from './use-subject.ts'

interface Branch {
  readonly layer: Layer
  readonly children: readonly Layer[]
}

function branchesOf(layers: readonly Layer[], words: string): Branch[] {
  const fits = (layer: Layer): boolean => fold(layer.name).includes(words)
  return layers
    .filter((layer) => layer.parentId === null)
    .flatMap((layer) => {
      const children = layers.filter((child) => child.parentId === layer.id)
      const shown = words === '' || fits(layer) ? children : children.filter(fits)
      return words === '' || fits(layer) || shown.length > 0 ? [{ layer, children: shown }] : []
    })
}

/** A row of the tree as it is shown, with what a reader of the screen is told of its place. */
interface Item {
  readonly layer: Layer
  readonly parent: Layer | undefined
  readonly level: number
  readonly place: number
  readonly siblings: number
  /** Undefined for what has nothing below it. */
  readonly expanded: boolean | undefined
}

function itemsOf(branches: readonly Branch[], isOpen: (id: string) => boolean): Item[] {
  return branches.flatMap(({ layer, children }, index) => {
    const expanded = isOpen(layer.id)
    const own = { layer, parent: undefined, level: 1, place: index + 1, siblings: branches.length, expanded }
    const below = (expanded ? children : []).map((child, place) => ({
      layer: child,
      parent: layer,
      level: 2,
      place: place + 1,
      siblings: children.length,
      expanded: undefined,
    }))
    return [own, ...below]
  })
}

/** Continents with their countries: what is drawn, and of which the table shows the annotations. */
export function LayerTree({ editor }: { readonly editor: Editor }) {
  const layers = useRows('layer', { orderBy: ['rank', 'name'] })
  const counts = useQuery<{ layerId: string | null; n: number }>(
    sql`select layerId, count(*) as n from annotation group by layerId`,
  )
  const [typed, setTyped] = useState('')
  const words = useDeferredValue(fold(typed.trim()))
  // What is open in the tree is each viewer's own: it is no edit of the project.
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set())
  const [active, setActive] = useState<string>()
  const tree = useRef<HTMLDivElement>(null)
  const chosen = useSubject(editor.layerFilter$)
  useSubject(editor.visibility.choices$)
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
  const items = itemsOf(branches, (id) => words !== '' || open.has(id))
  // One row is in the order of Tab, whatever the filter has left.
  const current = items.some(({ layer }) => layer.id === active) ? active : items[0]?.layer.id

  const toggle = (id: string): void => {
    const next = new Set(open)
    if (!next.delete(id)) next.add(id)
    setOpen(next)
  }
  const choose = (id: string): void => editor.layerFilter$.next(chosen === id ? undefined : id)
  const goTo = (item: Item | undefined): void => {
    if (!item) return
    setActive(item.layer.id)
    tree.current?.querySelector<HTMLElement>(`[data-layer="${CSS.escape(item.layer.id)}"]`)?.focus()
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    const index = items.findIndex(({ layer }) => layer.id === current)
    const item = items[index]
    if (!item || event.ctrlKey || event.metaKey || event.altKey) return
    const { layer, parent, expanded } = item
    const actions: Readonly<Record<string, () => void>> = {
      ArrowDown: () => goTo(items[index + 1]),
      ArrowUp: () => goTo(items[index - 1]),
      Home: () => goTo(items[0]),
      End: () => goTo(items.at(-1)),
      ArrowRight: () => (expanded === false ? toggle(layer.id) : expanded && goTo(items[index + 1])),
      ArrowLeft: () => (expanded ? toggle(layer.id) : goTo(items.find((one) => one.layer === parent))),
      Enter: () => choose(layer.id),
      ' ': () => editor.visibility.toggle(layer),
    }
    const action = actions[event.key]
    if (action) action()
    else if (/^\p{L}$/u.test(event.key)) {
      const letter = fold(event.key)
      goTo([...items.slice(index + 1), ...items.slice(0, index)].find((one) => fold(one.layer.name).startsWith(letter)))
    } else return
    event.preventDefault()
    event.stopPropagation()
  }
  return (
    <section className="side" aria-label="Layers">
      <header className="side-head">
        <Icon name="layers" />
        <h2>Layers</h2>
        <span className="dim">{layers.length}</span>
        <CloseButton layout={editor.layout} panel="layers" />
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
      {items.length === 0 ? (
        <p className="empty">No layer is called “{typed}”.</p>
      ) : (
        <div ref={tree} className="tree" role="tree" aria-label="Layers" data-keeps-keys onKeyDown={onKeyDown}>
          {items.map((item) => (
            <LayerRow
              key={item.layer.id}
              editor={editor}
              item={item}
              count={total.get(item.layer.id) ?? 0}
              chosen={chosen === item.layer.id}
              active={current === item.layer.id}
              onFocus={() => setActive(item.layer.id)}
              onToggle={() => toggle(item.layer.id)}
              onChoose={() => choose(item.layer.id)}
            />
          ))}
        </div>
      )}
    </section>
  )
}

interface LayerRowProps {
  readonly editor: Editor
  readonly item: Item
  readonly count: number
  readonly chosen: boolean
  readonly active: boolean
  readonly onFocus: () => void
  readonly onToggle: () => void
  readonly onChoose: () => void
}

/** The keys are the tree's: the buttons within are for the pointer. */
function LayerRow({ editor, item, count, chosen, active, onFocus, onToggle, onChoose }: LayerRowProps) {
  const { layer, parent, level, place, siblings, expanded } = item
  const { visibility } = editor
  const nameId = useId()
  const visible = visibility.isVisible(layer)
  const shown = visible && (parent === undefined || visibility.isVisible(parent))
  return (
    <div
      className="layer"
      role="treeitem"
      tabIndex={active ? 0 : -1}
      aria-labelledby={nameId}
      aria-description={shown ? undefined : 'hidden'}
      aria-level={level}
      aria-posinset={place}
      aria-setsize={siblings}
      aria-expanded={expanded}
      aria-selected={chosen}
      data-testid="layer-row"
      data-layer={layer.id}
      data-depth={level - 1}
      data-shown={shown}
      onFocus={onFocus}
    >
      {expanded === undefined ? (
        <span className="layer-open" />
      ) : (
        <button
          type="button"
          className="layer-open"
          tabIndex={-1}
          aria-label={`${expanded ? 'Close' : 'Open'} ${layer.name}`}
          onClick={onToggle}
        >
          <Icon name="chevron" />
        </button>
      )}
      <button
        type="button"
        id={nameId}
        className="layer-name"
        tabIndex={-1}
        title="Show in the table (Enter)"
        onClick={onChoose}
      >
        <span className="swatch" style={{ background: layer.color }} />
        <span className="layer-text">{layer.name}</span>
        <span className="layer-count">{count.toLocaleString('en')}</span>
      </button>
      <button
        type="button"
        className="layer-eye"
        tabIndex={-1}
        title={`${visible ? 'Hide' : 'Show'} for you alone (Space)`}
        aria-label={`${visible ? 'Hide' : 'Show'} ${layer.name}`}
        aria-pressed={!visible}
        data-testid={`visible-${layer.id}`}
        onClick={() => visibility.toggle(layer)}
      >
        <Icon name={visible ? 'eye' : 'eyeOff'} />
      </button>
    </div>
  )
}
