import { type ReactElement, StrictMode } from 'react'
import { sql } from 'rowcast'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { act, render, type Rendered } from '../support/react-render.ts'
import { type EditorStore, editor, openEditor } from '../support/react-store.ts'

const { StoreProvider, useField, useLive, useQuery, useRow, useRows, useStore, useValue, useValueField } = editor

let store: EditorStore
let rendered: Rendered | undefined
let renders: Record<string, number>

function count(name: string): void {
  renders[name] = (renders[name] ?? 0) + 1
}

beforeEach(async () => {
  store = await openEditor()
  renders = {}
})

afterEach(async () => {
  await rendered?.unmount()
  rendered = undefined
  await store.close()
})

async function show(children: ReactElement): Promise<Rendered> {
  rendered = await render(<StoreProvider store={store}>{children}</StoreProvider>)
  return rendered
}

test('a slider drag of 100 steps renders only the components that show its value', async () => {
  function Size({ id }: { id: string }): ReactElement {
    count(`size ${id}`)
    return <b>{useField('label', id, 'text.font.size')[0]}</b>
  }
  function Slug({ id }: { id: string }): ReactElement {
    count(`slug ${id}`)
    return <i>{useField('label', id, 'slug')[0]}</i>
  }
  function Selected({ id }: { id: string }): ReactElement {
    count(`selected ${id}`)
    const picked = useRow('label', id, (row) => ({ rank: row.rank, note: row.note }))
    return <u>{picked?.rank}</u>
  }
  function Whole({ id }: { id: string }): ReactElement {
    count(`whole ${id}`)
    return <s>{useRow('label', id)?.text?.font?.size}</s>
  }
  function Title(): ReactElement {
    count('title')
    return <em>{useValue('scene')?.title}</em>
  }
  function Others(): ReactElement {
    count('others')
    return <em>{useRows('label', { where: { id: 'b' } }).length}</em>
  }
  const { container } = await show(
    <>
      {['a', 'b'].map((id) => (
        <div key={id}>
          <Size id={id} />
          <Slug id={id} />
          <Selected id={id} />
          <Whole id={id} />
        </div>
      ))}
      <Title />
      <Others />
    </>,
  )
  renders = {}
  for (let step = 1; step <= 100; step++) await act(() => store.table('label').set('a', 'text.font.size', 12 + step))
  expect(renders).toEqual({ 'size a': 100, 'whole a': 100 })
  expect(container.querySelector('b')?.textContent).toBe('112')
})

test('the setter stays the same, takes a value or a function of the value, and writes at once', async () => {
  const setters = new Set<unknown>()
  function Panel(): ReactElement {
    const [rank, setRank] = useField('label', 'a', 'rank')
    const [x, setX] = useField('label', 'a', ['points', 1, 'x'])
    setters.add(setRank)
    return (
      <button
        onClick={() => {
          setRank((now) => (now ?? 0) + 1)
          setRank((now) => (now ?? 0) + 1)
          setX(7)
        }}
      >
        {rank} {x}
      </button>
    )
  }
  const { text, find } = await show(<Panel />)
  expect(text()).toBe('1 2')
  await act(() => find<HTMLButtonElement>('button').click())
  expect(text()).toBe('3 7')
  expect(setters.size).toBe(1)
  expect(store.table('label').get('a')?.points).toEqual([{ x: 1 }, { x: 7 }])
})

test('a changed key shows the new row in the same render, and an absent key shows nothing', async () => {
  const frames: string[] = []
  function Panel({ id }: { id: string | undefined }): ReactElement {
    const slug = useRow('label', id, (row) => row.slug)
    const [rank] = useField('label', id, 'rank')
    const cell = useRow('cell', id === undefined ? null : [id === 'a' ? 1 : 2, 3])
    frames.push(`${id}:${slug}:${rank}:${cell?.value}`)
    return <b>{slug}</b>
  }
  store.table('cell').insert({ row: 1, column: 3, value: 'one' })
  const { update } = await show(<Panel id="a" />)
  for (const id of ['b', undefined, 'missing', 'a']) {
    await update(
      <StoreProvider store={store}>
        <Panel id={id} />
      </StoreProvider>,
    )
  }
  expect([...new Set(frames)]).toEqual([
    'a:alpha:1:one',
    'b:beta:2:undefined',
    'undefined:undefined:undefined:undefined',
    'missing:undefined:undefined:undefined',
  ])
  await act(() => store.table('cell').set([1, 3], 'value', 'two'))
  expect(frames.at(-1)).toBe('a:alpha:1:two')
})

test('a row that appears, disappears and appears again is followed', async () => {
  function Panel(): ReactElement {
    return <b>{useRow('label', 'd')?.slug ?? 'none'}</b>
  }
  const { text } = await show(<Panel />)
  expect(text()).toBe('none')
  await act(() => void store.table('label').insert({ id: 'd', slug: 'delta' }))
  expect(text()).toBe('delta')
  await act(() => void store.table('label').delete('d'))
  expect(text()).toBe('none')
})

test('rows keep their identity, inline options open no new query, and changed options never show old rows', async () => {
  const frames: string[] = []
  const seen = new Set<unknown>()
  const results = new Set<unknown>()
  function List({ min, tick }: { min: number; tick: number }): ReactElement {
    const rows = useRows('label', { where: { rank: { gte: min } }, orderBy: '-rank' })
    results.add(rows)
    for (const row of rows) seen.add(row)
    frames.push(`${min}: ${rows.map((row) => row.id).join('')}`)
    return <b>{tick}</b>
  }
  const at = (min: number, tick: number): ReactElement => (
    <StoreProvider store={store}>
      <List min={min} tick={tick} />
    </StoreProvider>
  )
  const { update } = await show(<List min={2} tick={0} />)
  await update(at(2, 1))
  await update(at(2, 2))
  expect(results.size).toBe(1)
  await update(at(3, 3))
  expect([...new Set(frames)]).toEqual(['2: cb', '3: c'])
  await update(at(2, 4))
  expect(frames.at(-1)).toBe('2: cb')
  seen.clear()
  await update(at(2, 5))
  const before = [...seen]
  await act(() => store.table('label').set('b', 'rank', 50))
  expect(frames.at(-1)).toBe('2: bc')
  // Only the row that changed is a new object.
  expect([...seen].filter((row) => !before.includes(row))).toHaveLength(1)
  const settled = results.size
  await act(() => store.table('label').set('a', 'rank', 1))
  await act(() => store.table('label').set('a', 'note', 'out of sight'))
  expect(results.size).toBe(settled)
})

test('an SQL query is followed, and inline parameters are compared by value', async () => {
  const results = new Set<unknown>()
  function Sum({ min }: { min: number }): ReactElement {
    const rows = useQuery<{ total: number }>(sql`select sum(rank) as total from label where rank >= ${min}`)
    results.add(rows)
    return <b>{rows[0]?.total}</b>
  }
  const { text, update } = await show(<Sum min={2} />)
  const again = (
    <StoreProvider store={store}>
      <Sum min={2} />
    </StoreProvider>
  )
  await update(again)
  expect(text()).toBe('5')
  expect(results.size).toBe(1)
  await act(() => store.table('label').set('b', 'rank', 10))
  expect(text()).toBe('13')
  await act(() => store.table('label').set('b', 'note', 'not read'))
  expect(results.size).toBe(2)
})

test("a live query of one's own is followed", async () => {
  const live = store.table('label').live({ orderBy: '-id', limit: 2 })
  function List(): ReactElement {
    return <b>{useLive(live).map((row) => row.id)}</b>
  }
  const { text } = await show(<List />)
  expect(text()).toBe('cb')
  await act(() => void store.table('label').insert({ id: 'd', slug: 'delta' }))
  expect(text()).toBe('dc')
})

test('a singleton is read, selected from and written', async () => {
  function Panel(): ReactElement {
    const title = useValue('scene', (scene) => scene.title)
    const [zoom, setZoom] = useValueField('scene', 'zoom')
    return (
      <button onClick={() => setZoom((now) => (now ?? 0) * 2)}>
        {title} {zoom}
      </button>
    )
  }
  const { text, find } = await show(<Panel />)
  expect(text()).toBe('Scene 1')
  await act(() => find<HTMLButtonElement>('button').click())
  expect(text()).toBe('Scene 2')
  expect(store.value('scene').get()).toEqual({ title: 'Scene', zoom: 2 })
})

test('what was shown last stays when the store is closed', async () => {
  const own = await openEditor()
  function Panel(): ReactElement {
    return (
      <b>{`${useRow('label', 'a')?.slug} ${useRows('label').length} ${useQuery(sql`select id from label`).length}`}</b>
    )
  }
  const shown = await render(
    <StoreProvider store={own}>
      <Panel />
    </StoreProvider>,
  )
  await act(() => own.close())
  expect(shown.text()).toBe('alpha 3 3')
  await shown.update(
    <StoreProvider store={own}>
      <Panel />
    </StoreProvider>,
  )
  expect(shown.text()).toBe('alpha 3 3')
  await shown.unmount()
})

test('a query takes its parameters under the name that Drizzle gives them', async () => {
  function Panel(): ReactElement {
    return <b>{useQuery({ sql: 'select id from label where slug = ?', params: ['alpha'] }).length}</b>
  }
  const { text } = await show(<Panel />)
  expect(text()).toBe('1')
})

test('StrictMode shows the same, and a parent and its child see one state in one render', async () => {
  const torn: string[] = []
  function Child({ rank }: { rank: number | undefined }): ReactElement {
    const [own] = useField('label', 'a', 'rank')
    if (own !== rank) torn.push(`${rank} ${own}`)
    return <b>{own}</b>
  }
  function Parent(): ReactElement {
    const [rank] = useField('label', 'a', 'rank')
    useStore()
    return <Child rank={rank} />
  }
  const { text } = await show(
    <StrictMode>
      <Parent />
    </StrictMode>,
  )
  for (let rank = 2; rank < 10; rank++) await act(() => store.table('label').set('a', 'rank', rank))
  expect(text()).toBe('9')
  expect(torn).toEqual([])
})
