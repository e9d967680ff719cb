import { Component, type ReactElement, type ReactNode, Suspense, startTransition, useState } from 'react'
import * as React from 'react'
import { renderToString } from 'react-dom/server'
import { createStore, NotFoundError } from 'rowcast'
import { createStoreContext } from 'rowcast/react'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { act, hydrate, reactVersion, render, type Rendered } from '../support/react-render.ts'
import { type EditorStore, editor, openEditor, schema } from '../support/react-store.ts'

const {
  DraftProvider,
  StoreProvider,
  useDraft,
  useField,
  useFieldProps,
  useHistory,
  useQuery,
  useRow,
  useRows,
  useValue,
} = editor

let store: EditorStore
let rendered: Rendered | undefined

beforeEach(async () => {
  store = await openEditor()
})

afterEach(async () => {
  await rendered?.unmount()
  rendered = undefined
  await store.close()
})

function Slug({ id = 'a' }: { id?: string }): ReactElement {
  return <b>{useRow('label', id, (row) => row.slug)}</b>
}

class Boundary extends Component<{ children?: ReactNode }, { failed: string | undefined }> {
  override state = { failed: undefined as string | undefined }
  static getDerivedStateFromError(error: unknown): { failed: string } {
    return { failed: error instanceof Error ? `${error.name}: ${error.message}` : String(error) }
  }
  override render(): ReactNode {
    return this.state.failed ?? this.props.children
  }
}

function later<Value>(): { promise: Promise<Value>; resolve(value: Value): void; reject(error: unknown): void } {
  return Promise.withResolvers<Value>()
}

test.each(['its own', 'the outer'])('while the store opens %s fallback is shown', async (whose) => {
  const opening = later<EditorStore>()
  rendered = await render(
    whose === 'its own' ? (
      <StoreProvider store={opening.promise} fallback="opening">
        <Slug />
      </StoreProvider>
    ) : (
      <Suspense fallback="opening">
        <StoreProvider store={opening.promise}>
          <Slug />
        </StoreProvider>
      </Suspense>
    ),
  )
  expect(rendered.text()).toBe('opening')
  await act(() => opening.resolve(store))
  expect(rendered.text()).toBe('alpha')
})

test('a store that fails to open reaches the error boundary', async () => {
  const errors = vi.spyOn(console, 'error').mockImplementation(() => undefined)
  const opening = later<EditorStore>()
  rendered = await render(
    <Boundary>
      <StoreProvider store={opening.promise} fallback="opening">
        <Slug />
      </StoreProvider>
    </Boundary>,
  )
  await act(() => opening.reject(new NotFoundError('no such file')))
  expect(rendered.text()).toBe('NotFoundError: no such file')
  errors.mockRestore()
})

test('a hook outside of its provider says what is missing', async () => {
  const errors = vi.spyOn(console, 'error').mockImplementation(() => undefined)
  rendered = await render(
    <Boundary>
      <Slug />
    </Boundary>,
  )
  expect(rendered.text()).toContain('<StoreProvider>')
  errors.mockRestore()
})

test('several contexts and several providers live in one page, one inside the other', async () => {
  const inner = await openEditor()
  inner.table('label').set('a', 'slug', 'inner')
  const other = createStoreContext(schema)
  const third = await createStore({ schema })
  third.table('label').insert({ id: 'a', slug: 'third' })
  function Other(): ReactElement {
    return <i>{other.useRow('label', 'a')?.slug}</i>
  }
  function Inside(): ReactElement {
    const { draft } = useDraft()
    return (
      <DraftProvider draft={draft}>
        <Slug />
        <StoreProvider store={inner}>
          <Slug />
          <Write />
          <Other />
        </StoreProvider>
      </DraftProvider>
    )
  }
  function Write(): ReactElement {
    const [, set] = useField('label', 'a', 'note')
    return <button onClick={() => set('to the inner store')} />
  }
  rendered = await render(
    <other.StoreProvider store={third}>
      <StoreProvider store={store}>
        <Inside />
      </StoreProvider>
    </other.StoreProvider>,
  )
  expect(rendered.text()).toBe('alphainnerthird')
  await act(() => rendered?.find<HTMLButtonElement>('button').click())
  expect(inner.table('label').get('a')?.note).toBe('to the inner store')
  expect(store.table('label').get('a')).not.toHaveProperty('note')
  await act(() => inner.table('label').set('a', 'slug', 'newer'))
  expect(rendered.text()).toBe('alphanewerthird')
  await rendered.unmount()
  rendered = undefined
  await inner.close()
  await third.close()
})

test('another store in the same provider is shown at once', async () => {
  const next = await openEditor()
  next.table('label').set('a', 'slug', 'next')
  const at = (which: EditorStore): ReactElement => (
    <StoreProvider store={which}>
      <Slug />
    </StoreProvider>
  )
  rendered = await render(at(store))
  await rendered.update(at(next))
  expect(rendered.text()).toBe('next')
  await rendered.unmount()
  rendered = undefined
  await next.close()
})

test('what the server rendered from the same data is hydrated without a warning, and lives on', async () => {
  function Page(): ReactElement {
    const { draft, isDirty } = useDraft()
    const { canUndo } = useHistory()
    const rows = useRows('label', { orderBy: '-rank' })
    const [count] = useQuery<{ n: number }>({ sql: 'select count(*) as n from label' })
    return (
      <DraftProvider draft={draft}>
        <Slug />
        <input {...useFieldProps('label', 'a', 'rank')} />
        <i>{rows.map((row) => row.id).join('')}</i>
        <u>{String(count?.n)}</u>
        <s>{`${isDirty} ${canUndo} ${useValue('scene')?.title}`}</s>
      </DraftProvider>
    )
  }
  const errors = vi.spyOn(console, 'error').mockImplementation(() => undefined)
  const server = await openEditor()
  const html = renderToString(
    <StoreProvider store={server}>
      <Page />
    </StoreProvider>,
  )
  await server.close()
  expect(html).toContain('alpha')
  // Where there is a document, the shim for React 17 takes this for a browser, and React warns of its layout effects.
  if (reactVersion === 17) errors.mockClear()
  const recovered: unknown[] = []
  rendered = await hydrate(
    html,
    <StoreProvider store={store}>
      <Page />
    </StoreProvider>,
    recovered,
  )
  expect(rendered.text()).toBe('alphacba3false false Scene')
  expect(errors.mock.calls).toEqual([])
  expect(recovered).toEqual([])
  await act(() => store.table('label').update('a', { slug: 'live', rank: 50 }))
  expect(rendered.text()).toBe('liveacb3false true Scene')
  errors.mockRestore()
})

test.skipIf(reactVersion < 18)('a change in the middle of a transition tears nothing apart', async () => {
  const torn: string[] = []
  const slice: { go?: () => void } = {}
  function Cell({ index, heavy }: { index: number; heavy: number }): ReactElement {
    const [rank] = useField('label', 'a', 'rank')
    if (heavy > 0 && index === 50) slice.go?.()
    return <b>{rank}</b>
  }
  function Grid(): ReactElement {
    const [heavy, setHeavy] = useState(0)
    ;(Grid as { start?: () => void }).start = () => startTransition(() => setHeavy(1))
    return (
      <>
        {Array.from({ length: 100 }, (_, index) => (
          <Cell key={index} index={index} heavy={heavy} />
        ))}
      </>
    )
  }
  rendered = await render(
    <StoreProvider store={store}>
      <Grid />
    </StoreProvider>,
  )
  const { container } = rendered
  const watch = new MutationObserver(() => {
    const shown = new Set([...container.querySelectorAll('b')].map((one) => one.textContent))
    if (shown.size > 1) torn.push([...shown].join())
  })
  watch.observe(container, { subtree: true, childList: true, characterData: true })
  let written = false
  slice.go = () => {
    if (written) return
    written = true
    // As an input event between two slices of the transition would.
    queueMicrotask(() => store.table('label').set('a', 'rank', 42))
  }
  expect(React.version.startsWith('17')).toBe(false)
  await act(() => (Grid as { start?: () => void }).start?.())
  watch.disconnect()
  expect(written).toBe(true)
  expect(new Set([...container.querySelectorAll('b')].map((one) => one.textContent))).toEqual(new Set(['42']))
  expect(torn).toEqual([])
})
