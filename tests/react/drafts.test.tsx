import { type ReactElement, StrictMode, useEffect } from 'react'
import type { ChangeSet, TableChange } from 'rowcast'
import type { DraftHandle } from 'rowcast/react'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { internals } from '../../src/store/index.ts'
import { act, render, type Rendered } from '../support/react-render.ts'
import { type EditorStore, editor, openEditor } from '../support/react-store.ts'

const { DraftProvider, StoreProvider, useChanges, useDraft, useField, useHistory, useTable, useValueField } = editor

type Handle = DraftHandle<EditorStore['schema']['definition']>

let store: EditorStore
let rendered: Rendered | undefined
let handle: Handle
let opened: { readonly state: string }[]

beforeEach(async () => {
  store = await openEditor()
  opened = []
  const open = store.draft.bind(store)
  store.draft = (options) => {
    const draft = open(options)
    opened.push(draft)
    return draft
  }
})

afterEach(async () => {
  await rendered?.unmount()
  rendered = undefined
  await store.close()
})

function openDrafts(): number {
  return opened.filter((draft) => draft.state === 'open').length
}

function Rank(): ReactElement {
  const [rank, setRank] = useField('label', 'a', 'rank')
  const [, setZoom] = useValueField('scene', 'zoom')
  const table = useTable('label')
  return (
    <button
      onClick={() => {
        setRank((now) => (now ?? 0) + 10)
        setZoom(5)
        table.set('b', 'note', 'through the table')
      }}
    >
      {rank}
    </button>
  )
}

function Panel(): ReactElement {
  handle = useDraft({ label: 'Edit' })
  return (
    <DraftProvider draft={handle.draft}>
      <Rank />
      <i>{handle.isDirty ? ' dirty' : ''}</i>
      <u>{handle.conflicts.map(({ path }) => ` ${path}`)}</u>
    </DraftProvider>
  )
}

async function show(children: ReactElement): Promise<Rendered> {
  rendered = await render(<StoreProvider store={store}>{children}</StoreProvider>)
  return rendered
}

test('inside a DraftProvider every hook writes through the draft; cancel puts everything back', async () => {
  const { find, text } = await show(<Panel />)
  await act(() => find<HTMLButtonElement>('button').click())
  expect(text()).toBe('11 dirty')
  expect(store.table('label').get('a')?.rank).toBe(11)
  expect(handle.draft.changes().changes).toHaveLength(3)
  const first = handle.draft
  await act(() => handle.cancel())
  expect(text()).toBe('1')
  expect(store.table('label').get('b')).not.toHaveProperty('note')
  expect(first.state).toBe('cancelled')
  expect(handle.draft).not.toBe(first)
  expect(handle.draft.state).toBe('open')
})

test('commit gives the net change, and then a fresh draft is open', async () => {
  const { find, text } = await show(<Panel />)
  await act(() => find<HTMLButtonElement>('button').click())
  let committed: ChangeSet | undefined
  await act(() => {
    committed = handle.commit().changes
  })
  expect(committed?.label).toBe('Edit')
  expect(committed?.changes).toHaveLength(3)
  expect(text()).toBe('11')
  await act(() => find<HTMLButtonElement>('button').click())
  expect(text()).toBe('21 dirty')
  await act(() => void handle.draft.commit())
  expect(text()).toBe('21')
  expect(handle.draft.state).toBe('open')
})

test.each(['once', 'twice by StrictMode'])(
  'unmounting cancels the draft (effects run %s), and none is leaked',
  async (how) => {
    const { find, update } = await show(
      how === 'once' ? (
        <Panel />
      ) : (
        <StrictMode>
          <Panel />
        </StrictMode>
      ),
    )
    expect(openDrafts()).toBe(1)
    expect(handle.draft.state).toBe('open')
    await act(() => find<HTMLButtonElement>('button').click())
    expect(store.table('label').get('a')?.rank).toBe(11)
    await update(<StoreProvider store={store}>{null}</StoreProvider>)
    expect(store.table('label').get('a')?.rank).toBe(1)
    expect(openDrafts()).toBe(0)
    store.history.undo()
    expect(store.table('label').get('a')?.rank).toBe(1)
  },
)

test('a draft that was committed survives the unmount', async () => {
  const { find, update } = await show(<Panel />)
  await act(() => find<HTMLButtonElement>('button').click())
  await act(() => void handle.commit())
  await update(<StoreProvider store={store}>{null}</StoreProvider>)
  expect(store.table('label').get('a')?.rank).toBe(11)
})

test('what children write in their effects is not lost when StrictMode runs effects twice', async () => {
  function Starter(): null {
    const [, setNote] = useField('label', 'c', 'note')
    useEffect(() => setNote('started'), [setNote])
    return null
  }
  function Starting(): ReactElement {
    handle = useDraft()
    return (
      <DraftProvider draft={handle.draft}>
        <Starter />
      </DraftProvider>
    )
  }
  await show(
    <StrictMode>
      <Starting />
    </StrictMode>,
  )
  expect(store.table('label').get('c')?.note).toBe('started')
  expect(handle.isDirty).toBe(true)
})

test('a cell that someone else writes to is listed as a conflict', async () => {
  const { find, text } = await show(<Panel />)
  await act(() => find<HTMLButtonElement>('button').click())
  await act(() => store.table('label').set('a', 'rank', 50))
  expect(text()).toContain('50')
  expect(handle.conflicts).toMatchObject([{ table: 'label', key: 'a', path: 'rank', mine: 11, theirs: 50 }])
})

test('the history can be undone and redone, and its steps are listed', async () => {
  let history: ReturnType<typeof useHistory> | undefined
  function Steps(): ReactElement {
    history = useHistory()
    return <b>{history.steps.done.map((step) => step.label).join()}</b>
  }
  const { text } = await show(<Steps />)
  expect(history).toMatchObject({ canUndo: false, canRedo: false })
  await act(() => store.transaction(() => store.table('label').set('a', 'rank', 9), { label: 'Nine' }))
  expect(text()).toBe('Nine')
  expect(history).toMatchObject({ canUndo: true, canRedo: false })
  await act(() => void history?.undo())
  expect(history).toMatchObject({ canUndo: false, canRedo: true })
  expect(store.table('label').get('a')?.rank).toBe(1)
  await act(() => void history?.redo())
  expect(store.table('label').get('a')?.rank).toBe(9)
})

test('a step that can’t be undone is listed with the reason, and what it rendered is not rendered anew', async () => {
  let renders = 0
  function Skipped(): ReactElement {
    const { skipped, undo } = useHistory()
    renders++
    return <button onClick={undo}>{skipped.map(({ reason }) => reason.code).join()}</button>
  }
  const { find, text } = await show(<Skipped />)
  await act(() => store.table('label').set('a', 'rank', 9))
  await act(() =>
    internals(store as never).applyRemote({
      changes: [{ table: 'label', key: 'a', op: 'update', before: {}, after: { rank: 7 } }],
    }),
  )
  renders = 0
  await act(() => find<HTMLButtonElement>('button').click())
  expect(text()).toBe('conflict')
  expect(store.table('label').get('a')?.rank).toBe(7)
  expect(renders).toBeLessThanOrEqual(2)
})

test('useChanges calls the latest listener with each change of the store or of a table, until it is unmounted', async () => {
  const heard: string[] = []
  let renders = 0
  function Ear({ name }: { name: string }): null {
    renders++
    useChanges((set: ChangeSet) => heard.push(`${name} ${set.changes.map((change) => change.table).join()}`))
    useChanges('label', (change: TableChange) => heard.push(`${name} updated ${change.updated.length}`))
    return null
  }
  const { update } = await show(<Ear name="one" />)
  await update(
    <StoreProvider store={store}>
      <Ear name="two" />
    </StoreProvider>,
  )
  renders = 0
  await act(() => store.table('label').set('a', 'rank', 5))
  await act(() => store.value('scene').set('zoom', 2))
  expect(heard.toSorted()).toEqual(['two label', 'two scene', 'two updated 1'])
  expect(renders).toBe(0)
  await update(<StoreProvider store={store}>{null}</StoreProvider>)
  await act(() => store.table('label').set('a', 'rank', 6))
  expect(heard).toHaveLength(3)
})

test.each(['commit', 'cancel'] as const)(
  'a %s of a draft that changes nothing opens another one as well',
  async (end) => {
    function Bare(): ReactElement {
      handle = useDraft()
      return <b>{handle.draft.id}</b>
    }
    rendered = await render(
      <StrictMode>
        <StoreProvider store={store}>
          <Bare />
        </StoreProvider>
      </StrictMode>,
    )
    const untouched = handle.draft
    await act(() => void handle[end]())
    expect(handle.draft).not.toBe(untouched)
    await act(() => handle.draft.table('label').set('a', 'rank', 7))
    expect(handle.isDirty).toBe(true)
    const changedBack = handle.draft
    await act(() => void handle[end]())
    expect(handle.draft).not.toBe(changedBack)
    expect(handle.draft.state).toBe('open')
  },
)
