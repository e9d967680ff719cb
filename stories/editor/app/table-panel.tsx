import {
  type KeyboardEvent,
  memo,
  type MouseEvent,
  type ReactNode,
  useCallback,
  useDeferredValue,
  useEffect,
  useEffectEvent,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from 'react'
import { sql, type SqlFragment } from 'rowcast'
import { useGuests } from '../collaboration/context.ts'
import type { Guest } from '../collaboration/presence-state.ts'
import { flyTo } from './camera.ts'
import { useQuery, useRow, useRows } from './editor-store.ts'
import type { Editor } from './editor.ts'
import { Icon } from './icons.tsx'
import { nameHas } from './name-filter.ts'
import { CloseButton } from './panel-layout-controls.tsx'
import { selectionOf, type Selection, toggled } from './selection.ts'
import { useSubject } from './use-subject.ts'

const rowHeight = 24
const overscan = 6

const columns = [
  { id: 'name', title: 'Name', column: 'name', first: 'asc' },
  { id: 'country', title: 'Country', column: 'geonames_country', first: 'asc' },
  { id: 'population', title: 'Population', column: 'geonames_population', first: 'desc' },
  { id: 'rank', title: 'Rank', column: 'rank', first: 'desc' },
  { id: 'kind', title: 'Kind', column: 'kind', first: 'asc' },
  { id: 'size', title: 'Icon size', column: 'icon_size', first: 'desc' },
] as const

type ColumnId = (typeof columns)[number]['id']

interface Sorting {
  readonly id: ColumnId
  readonly direction: 'asc' | 'desc'
}

const populations = [0, 1_000, 10_000, 100_000, 1_000_000, 5_000_000]

/** The keys of the rows that match, in order: the rows themselves are read where they come into sight. */
function keysQuery(words: string, layers: readonly string[] | undefined, least: number, sorting: Sorting): SqlFragment {
  const conditions: SqlFragment[] = []
  if (words !== '') conditions.push(nameHas(words))
  if (layers) conditions.push(sql`layerId in (${sql.join(layers)})`)
  if (least > 0) conditions.push(sql`geonames_population >= ${least}`)
  const where = conditions.length > 0 ? sql`where ${sql.join(conditions, ' and ')}` : sql``
  const column = sql.identifier(columns.find(({ id }) => id === sorting.id)?.column ?? 'name')
  return sorting.direction === 'asc'
    ? sql`select id from annotation ${where} order by ${column}, id`
    : sql`select id from annotation ${where} order by ${column} desc, id`
}

export function TablePanel({ editor }: { readonly editor: Editor }) {
  const [typed, setTyped] = useState('')
  const search = useRef<HTMLInputElement>(null)
  const [least, setLeast] = useState(0)
  const [sorting, setSorting] = useState<Sorting>({ id: 'population', direction: 'desc' })
  const layerId = useSubject(editor.layerFilter$)
  const layers = useRows('layer', { orderBy: 'name' })
  const inLayer = useMemo(
    () =>
      layerId === undefined
        ? undefined
        : [layerId, ...layers.filter((layer) => layer.parentId === layerId).map(({ id }) => id)],
    [layerId, layers],
  )
  const wanted = useMemo(() => keysQuery(typed.trim(), inLayer, least, sorting), [typed, inLayer, least, sorting])
  const query = useDeferredValue(wanted)
  const keys = useQuery<{ readonly id: string }>(query)
  const filtered = typed !== '' || layerId !== undefined || least > 0
  const sortBy = (id: ColumnId, first: Sorting['direction']): void => {
    const other = sorting.direction === 'asc' ? 'desc' : 'asc'
    setSorting({ id, direction: sorting.id === id ? other : first })
  }
  return (
    <section className="table" aria-label="Annotations" data-busy={query !== wanted}>
      <header className="table-tools">
        <label className="filter">
          <Icon name="search" />
          <input
            ref={search}
            type="search"
            placeholder="Search"
            aria-label="Search names"
            data-testid="table-search"
            value={typed}
            onChange={(event) => setTyped(event.target.value)}
          />
        </label>
        <select
          aria-label="Country"
          data-testid="table-country"
          value={layerId ?? ''}
          onChange={(event) => editor.layerFilter$.next(event.target.value || undefined)}
        >
          {/* What stands there says what it is; what is chosen, how to be rid of it. */}
          <option value="">{layerId === undefined ? 'Country' : 'All countries'}</option>
          {layers.map((layer) => (
            <option key={layer.id} value={layer.id}>
              {layer.name}
            </option>
          ))}
        </select>
        <select
          className="filter-population"
          aria-label="Least population"
          data-testid="table-population"
          value={least}
          onChange={(event) => setLeast(Number(event.target.value))}
        >
          {populations.map((value) => (
            <option key={value} value={value}>
              {value > 0 ? `≥ ${value.toLocaleString('en')}` : least === 0 ? 'Population' : 'Any population'}
            </option>
          ))}
        </select>
        {filtered && (
          <button
            type="button"
            className="icon-button filter-clear"
            title="Clear the filter"
            aria-label="Clear the filter"
            data-testid="clear-filter"
            onClick={() => {
              search.current?.focus()
              setTyped('')
              setLeast(0)
              editor.layerFilter$.next(undefined)
            }}
          >
            <Icon name="reset" />
          </button>
        )}
        <span className="top-space" />
        <span className="dim table-count" data-testid="table-count">
          {keys.length.toLocaleString('en')} {keys.length === 1 ? 'row' : 'rows'}
        </span>
        <button
          type="button"
          className="button button-small"
          data-testid="select-rows"
          disabled={keys.length === 0 || !filtered}
          title={filtered ? 'Select all rows of this filter' : 'Filter the rows first'}
          onClick={() => {
            const ids = keys.map(({ id }) => id)
            editor.select(selectionOf(ids, ids[0]))
          }}
        >
          Select all
        </button>
        <CloseButton layout={editor.layout} panel="table" />
      </header>
      <Rows
        editor={editor}
        keys={keys}
        query={query}
        onHead={(index) => {
          const column = columns[index]
          if (column) sortBy(column.id, column.first)
        }}
      >
        {(activeColumn) => (
          <div className="table-head" role="row" aria-rowindex={1}>
            {columns.map(({ id, title, first }, index) => (
              <div
                key={id}
                id={cellId(-1, index)}
                className="cell"
                role="columnheader"
                aria-colindex={index + 1}
                data-column={id}
                data-active={activeColumn === index}
                aria-sort={sorting.id !== id ? 'none' : sorting.direction === 'asc' ? 'ascending' : 'descending'}
                data-testid={`sort-${id}`}
                onClick={() => sortBy(id, first)}
              >
                {title}
                {sorting.id === id && (
                  <span className="sort" aria-hidden="true">
                    {sorting.direction === 'asc' ? '▲' : '▼'}
                  </span>
                )}
              </div>
            ))}
          </div>
        )}
      </Rows>
    </section>
  )
}

interface RowsProps {
  readonly editor: Editor
  readonly keys: readonly { readonly id: string }[]
  readonly query: SqlFragment
  /** The head was pressed by a key, at a column. */
  readonly onHead: (column: number) => void
  /** The head, which stays in sight; told at which of its columns the keyboard is. */
  readonly children: (activeColumn: number | undefined) => ReactNode
}

/** Where the keyboard is; row -1 is the head. */
interface ActiveCell {
  readonly row: number
  readonly column: number
}

const cellId = (row: number, column: number): string => `cell-${row}-${column}`

/**
 * The rows in sight, of however many, as one stop of Tab: arrow keys go from cell to cell, and the grid tells which one
 * is active. They start at the top again when the filter or the order is another one.
 */
function Rows({ editor, keys, query, onHead, children }: RowsProps) {
  const [{ cell, anchor, of }, setWanted] = useState({ cell: { row: 0, column: 0 }, anchor: 0, of: query })
  // Of another filter or order the keyboard is at the top again, or still in the head.
  const within = (row: number): number => Math.min(row, keys.length - 1, of === query ? Infinity : 0)
  const active = { ...cell, row: within(cell.row) }
  /** Goes to a cell; a range goes on from where it began, or else begins there. */
  const setActive = useCallback(
    (next: ActiveCell, from = next.row) => setWanted({ cell: next, anchor: from, of: query }),
    [query],
  )
  const viewport = useRef<HTMLDivElement>(null)
  const [top, setTop] = useState(0)
  const [height, setHeight] = useState(240)
  const selection = useSubject(editor.selection$)
  const { ids } = selection
  const selected = useMemo(() => new Set(ids), [ids])
  // What was selected here is in sight, and says where the keyboard is.
  const chosen = useRef<Selection>(undefined)
  const guests = useGuests()
  const guestOf = useMemo(() => {
    const byKey = new Map<string, Guest>()
    for (const guest of guests) for (const key of guest.selection) byKey.set(key, guest)
    return byKey
  }, [guests])

  useLayoutEffect(() => {
    const element = viewport.current
    if (!element) return undefined
    const observer = new ResizeObserver(() => setHeight(element.clientHeight))
    observer.observe(element)
    return () => observer.disconnect()
  }, [])
  useLayoutEffect(() => {
    if (viewport.current) viewport.current.scrollTop = 0
    // oxlint-disable-next-line react/exhaustive-effect-dependencies -- another query starts at the top
  }, [query])

  const from = Math.max(Math.floor(top / rowHeight) - overscan, 0)
  const to = Math.min(Math.ceil((top + height) / rowHeight) + overscan, keys.length)
  const isDrawn = active.row < 0 || (active.row >= from && active.row < to)
  const rows: ReactNode[] = []
  for (let index = from; index < to; index++) {
    const id = keys[index]?.id
    if (id !== undefined)
      rows.push(
        <TableRow
          key={id}
          id={id}
          index={index}
          selected={selected.has(id)}
          activeColumn={active.row === index ? active.column : undefined}
          guest={guestOf.get(id)?.name}
          guestColor={guestOf.get(id)?.color}
        />,
      )
  }
  const goTo = (next: ActiveCell, begin?: number): void => {
    setActive(next, begin)
    const element = viewport.current
    if (!element || next.row < 0) return
    // The head covers the first row's height.
    const [least, most] = [(next.row + 2) * rowHeight - element.clientHeight, next.row * rowHeight]
    element.scrollTop = Math.min(Math.max(element.scrollTop, least), most)
  }
  const select = (next: Selection): void => {
    chosen.current = next
    editor.select(next)
  }
  /** Selects a row, and shows it on the map; or adds it to what is selected, or takes it away. */
  const choose = (id: string, additive: boolean): void => {
    select(additive ? toggled(editor.selection$.value, [id]) : selectionOf([id]))
    const place = editor.store.table('annotation').get(id)?.position
    if (!additive && place && editor.scene) flyTo(editor.scene, place, 7)
  }
  /** Selects from where the range began up to a row; `kept` stays selected. */
  const selectRange = (row: number, kept: readonly string[] = []): void => {
    const start = Math.max(within(anchor), 0)
    const range = keys.slice(Math.min(start, row), Math.max(start, row) + 1).map(({ id }) => id)
    select(selectionOf([...new Set([...kept, ...range])], keys[row]?.id))
  }
  const showSelected = useEffectEvent(({ primary }: Selection): void => {
    const row = primary === undefined ? -1 : keys.findIndex(({ id }) => id === primary)
    if (row >= 0) goTo({ row, column: active.column })
  })
  useEffect(() => {
    if (selection !== chosen.current) showSelected(selection)
  }, [selection])
  const onClick = (event: MouseEvent): void => {
    const cell = event.target instanceof Element ? event.target.closest('.cell') : null
    const row = Number(cell?.closest('[role=row]')?.getAttribute('aria-rowindex') ?? 0) - 2
    const id = keys[row]?.id
    if (!cell || id === undefined) return
    const additive = event.ctrlKey || event.metaKey
    const column = Number(cell.getAttribute('aria-colindex')) - 1
    setActive({ row, column }, event.shiftKey ? anchor : row)
    if (event.shiftKey) selectRange(row, additive ? ids : [])
    else choose(id, additive)
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    const { row, column } = active
    const shownColumns = columns.flatMap(({ id: name }, index) =>
      viewport.current?.querySelector<HTMLElement>(`.table-head [data-column=${name}]`)?.offsetParent ? [index] : [],
    )
    const at = shownColumns.indexOf(column)
    const columnAt = (index: number): number =>
      shownColumns[Math.min(Math.max(index, 0), shownColumns.length - 1)] ?? column
    const control = event.ctrlKey || event.metaKey
    const page = Math.max(Math.floor(height / rowHeight) - 2, 1)
    const targets: Readonly<Record<string, ActiveCell>> = {
      ArrowDown: { row: row + 1, column },
      ArrowUp: { row: row - 1, column },
      ArrowRight: { row, column: columnAt(at + 1) },
      ArrowLeft: { row, column: columnAt(at - 1) },
      PageDown: { row: row + page, column },
      PageUp: { row: Math.max(row - page, 0), column },
      Home: { row: control ? 0 : row, column: columnAt(0) },
      End: { row: control ? keys.length - 1 : row, column: columnAt(shownColumns.length - 1) },
    }
    const id = keys[row]?.id
    const target = targets[event.key]
    if (target) {
      const next = Math.min(Math.max(target.row, -1), keys.length - 1)
      const isRange = event.shiftKey && next !== row && next >= 0
      goTo({ row: next, column: target.column }, event.shiftKey ? anchor : next)
      if (isRange) selectRange(next)
    } else if (event.key === 'Enter' && row < 0) onHead(column)
    else if (event.key === 'Enter' && id !== undefined) choose(id, false)
    else if (event.key === ' ' && row < 0) onHead(column)
    else if (event.key === ' ' && id !== undefined) choose(id, true)
    else return
    event.preventDefault()
  }
  return (
    <>
      <div
        ref={viewport}
        className="table-rows"
        data-testid="table-rows"
        data-keeps-keys
        role="grid"
        tabIndex={0}
        aria-label="Annotations"
        aria-multiselectable
        aria-rowcount={keys.length + 1}
        aria-colcount={columns.length}
        aria-activedescendant={isDrawn ? cellId(active.row, active.column) : undefined}
        onScroll={(event) => setTop(event.currentTarget.scrollTop)}
        onKeyDown={onKeyDown}
      >
        {children(active.row < 0 ? active.column : undefined)}
        {keys.length > 0 && (
          <div className="table-all" role="rowgroup" style={{ height: keys.length * rowHeight }} onClick={onClick}>
            {rows}
          </div>
        )}
      </div>
      {keys.length === 0 && <p className="empty table-empty">No annotation matches this filter.</p>}
    </>
  )
}

interface TableRowProps {
  readonly id: string
  readonly index: number
  readonly selected: boolean
  readonly activeColumn: number | undefined
  /** Who else has it selected. */
  readonly guest: string | undefined
  readonly guestColor: string | undefined
}

const TableRow = memo(function TableRow({ id, index, selected, activeColumn, guest, guestColor }: TableRowProps) {
  const row = useRow('annotation', id, ({ name, kind, rank, icon, geonames }) => ({
    name,
    kind,
    rank,
    color: icon.color,
    size: icon.size,
    country: geonames.country,
    population: geonames.population,
  }))
  const cellProps = (column: number) => ({
    id: cellId(index, column),
    className: 'cell',
    role: 'gridcell',
    'aria-colindex': column + 1,
    'data-column': columns[column]?.id,
    'data-active': activeColumn === column,
  })
  return (
    <div
      className="row"
      role="row"
      aria-selected={selected}
      data-testid="table-row"
      data-id={id}
      data-guest={guest}
      title={guest === undefined ? undefined : `Selected by ${guest}`}
      style={{
        transform: `translateY(${index * rowHeight}px)`,
        ...(guestColor !== undefined && { boxShadow: `inset 3px 0 ${guestColor}` }),
      }}
      aria-rowindex={index + 2}
    >
      <span {...cellProps(0)}>
        <span className="swatch swatch-round" style={{ background: row?.color }} />
        <span className="cell-text">{row?.name}</span>
        {guest !== undefined && (
          <span className="row-guest" style={{ color: guestColor }}>
            {guest}
          </span>
        )}
      </span>
      <span {...cellProps(1)}>{row?.country}</span>
      <span {...cellProps(2)}>{row && row.population > 0 ? row.population.toLocaleString('en') : '–'}</span>
      <span {...cellProps(3)}>{row?.rank}</span>
      <span {...cellProps(4)}>{row?.kind}</span>
      <span {...cellProps(5)}>{row?.size}</span>
    </div>
  )
})
