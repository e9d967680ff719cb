import { type ReactElement, StrictMode, useEffect } from 'react'
import { renderToString } from 'react-dom/server'
import type { PresenceOther, SyncStatus } from 'rowcast'
import { createStoreContext, type PresenceHandle, type SyncHandle } from 'rowcast/react'
import type { ServerCore } from 'rowcast/server'
import { filter, firstValueFrom } from 'rxjs'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { act, hydrate, reactVersion, render, type Rendered } from '../support/react-render.ts'
import { editor, openEditor } from '../support/react-store.ts'
import { openScene, openServer, sceneSchema, type SceneStore, settled } from '../support/sync-world.ts'

const { StoreProvider, usePresence, useSyncStatus } = createStoreContext(sceneSchema)

let core: ServerCore
let ann: SceneStore
let bob: SceneStore
let rendered: Rendered | undefined
/** What ann has said of herself, as the server received it. */
let said: unknown[]

beforeEach(async () => {
  said = []
  core = await openServer()
  const accept: ServerCore['accept'] = (connection, request) => {
    const handler = core.accept(connection, request)
    return {
      receive: (text) => {
        const message = JSON.parse(text) as { readonly type: string; readonly state: unknown }
        if (message.type === 'presence') said.push(message.state)
        handler.receive(text)
      },
      closed: (reason) => handler.closed(reason),
    }
  }
  ann = await openScene({ accept })
  bob = await openScene(core)
  await Promise.all([settled(ann), settled(bob)])
  await others(ann, oneIs({}))
  await others(bob, oneIs({}))
})

afterEach(async () => {
  await rendered?.unmount()
  rendered = undefined
  await Promise.all([ann.close(), bob.close()])
  await core.close()
})

function within(element: ReactElement, store: SceneStore = ann): ReactElement {
  return <StoreProvider store={store}>{element}</StoreProvider>
}

/** Waits until a store sees the others so, and React has shown what came with it. */
function others(store: SceneStore, until: (list: readonly PresenceOther[]) => boolean): Promise<void> {
  return act(async () => {
    await firstValueFrom(store.sync.presence.others$.pipe(filter(until)))
  })
}

/** Whether there is one other, in such a state. */
function oneIs(state: unknown): (list: readonly PresenceOther[]) => boolean {
  return (list) => list.length === 1 && JSON.stringify(list[0]?.state) === JSON.stringify(state)
}

/** Shows the status, and keeps what each render was given. */
function Status({ seen = [] }: { seen?: SyncHandle[] }): ReactElement {
  const status = useSyncStatus()
  seen.push(status)
  const { state, pending, rejected } = status
  return <b>{`${state} ${pending} ${rejected.map(({ label, code }) => `${label}: ${code}`).join()}`}</b>
}

/** Waits until a store's status is as asked, and React has shown it. */
function whenStatus(store: SceneStore, until: (status: SyncStatus) => boolean): Promise<void> {
  return act(async () => {
    await firstValueFrom(store.sync.status$.pipe(filter(until)))
  })
}

/** Renders in StrictMode or not. */
function inMode(mode: string, element: ReactElement): Promise<Rendered> {
  return render(mode === 'in StrictMode' ? <StrictMode>{element}</StrictMode> : element)
}

test.each(['in StrictMode', 'without it'])(
  'what the server refused is shown until it is dealt with, %s',
  async (mode) => {
    ann.table('note').insert([{ id: 1, slug: 'a' }, { id: 2 }])
    await settled(ann)
    await firstValueFrom(
      bob
        .table('note')
        .row$(2)
        .pipe(filter((row) => row !== undefined)),
    )
    rendered = await inMode(mode, within(<Status />))
    expect(rendered.text()).toBe('live 0 ')
    await act(async () => {
      // Both take the slug at once: the server takes the first.
      bob.table('note').update(1, { slug: 'b' })
      ann.transaction(() => ann.table('note').update(2, { slug: 'b' }), { label: 'Rename' })
      await Promise.all([settled(ann), settled(bob)])
    })
    expect(rendered.text()).toBe('live 0 Rename: constraint')
    await act(async () => {
      const [rejected] = await firstValueFrom(ann.sync.rejected$)
      rejected?.discard()
    })
    expect(rendered.text()).toBe('live 0 ')
  },
)

test('the status is the same object until it changes, and nothing else makes the component render', async () => {
  const seen: SyncHandle[] = []
  rendered = await render(within(<Status seen={seen} />))
  bob.table('layer').insert({ id: 'roads' })
  bob.sync.presence.set({ at: 1 })
  await others(ann, oneIs({ at: 1 }))
  await settled(bob)
  expect(ann.table('layer').has('roads')).toBe(true)
  expect(seen).toHaveLength(1)
  await rendered.update(within(<Status seen={seen} />))
  expect(seen).toHaveLength(2)
  expect(seen[1]).toBe(seen[0])
})

test('what waits for a server that does not answer is counted', async () => {
  const waiting = await openScene({ accept: () => ({ receive: () => undefined, closed: () => undefined }) })
  rendered = await render(within(<Status />, waiting))
  expect(rendered.text()).toBe('connecting 0 ')
  await act(() => {
    waiting.table('note').insert({ id: 1 })
    waiting.table('note').insert({ id: 2 })
  })
  expect(rendered.text()).toBe('connecting 2 ')
  await act(() => waiting.close())
  expect(rendered.text()).toBe('closed 2 ')
})

test('why a server does not let one in is told, and another store in the same provider is shown at once', async () => {
  const seen: SyncHandle[] = []
  const lost = await openScene(core, { database: 'nowhere' })
  rendered = await render(within(<Status seen={seen} />, lost))
  await whenStatus(lost, ({ state }) => state === 'closed')
  expect(seen.at(-1)).toMatchObject({ state: 'closed', code: 'unknown-database', pending: 0, rejected: [] })
  expect(seen.at(-1)?.reason).toContain('nowhere')
  await rendered.update(within(<Status seen={seen} />))
  expect(rendered.text()).toBe('live 0 ')
  expect(seen.at(-1)).not.toHaveProperty('code')
  await lost.close()
})

test('what a store has shown last stays when it is closed, also through another render', async () => {
  const handles: PresenceHandle[] = []
  const closing = await openScene(core)
  await settled(closing)
  await others(closing, (list) => list.length === 2)
  const page = (): ReactElement =>
    within(
      <>
        <Status />
        <Here state="away" handles={handles} />
      </>,
      closing,
    )
  rendered = await render(page())
  await act(() => closing.close())
  expect(rendered.text()).toBe('closed 0 {},{}')
  await rendered.update(page())
  await act(() => handles[0]?.setState('later'))
  expect(rendered.text()).toBe('closed 0 {},{}')
})

test('a store without sync is closed, with the reason, and nobody else is there', async () => {
  const alone = await openEditor()
  function Alone(): ReactElement {
    const { state, reason } = editor.useSyncStatus()
    return <b>{`${state}: ${reason}, ${editor.usePresence({ at: 1 }).others.length}`}</b>
  }
  rendered = await render(
    <editor.StoreProvider store={alone}>
      <Alone />
    </editor.StoreProvider>,
  )
  expect(rendered.text()).toBe('closed: the store was created without sync, 0')
  await rendered.unmount()
  rendered = undefined
  await alone.close()
})

// React 17 knows no value for hydrating: there both sides show their own.
test.skipIf(reactVersion < 18)('server and browser begin alike, whatever each of them knows, and live on', async () => {
  const errors = vi.spyOn(console, 'error').mockImplementation(() => undefined)
  const recovered: unknown[] = []
  function Page(): ReactElement {
    const list = usePresence({ page: 1 }).others
    return (
      <>
        <Status />
        <i>{list.length}</i>
      </>
    )
  }
  bob.sync.presence.set({ at: 1 })
  await others(ann, oneIs({ at: 1 }))
  const html = renderToString(within(<Page />, bob))
  expect(html).toBe('<b>connecting 0 </b><i>0</i>')
  rendered = await hydrate(html, within(<Page />), recovered)
  expect(rendered.text()).toBe('live 0 1')
  expect(errors.mock.calls).toEqual([])
  expect(recovered).toEqual([])
  errors.mockRestore()
})

/** Shows the others, and gives its handle out. */
function Here({ state, handles = [] }: { state?: unknown; handles?: PresenceHandle[] }): ReactElement {
  const handle = usePresence(state)
  handles.push(handle)
  return <i>{handle.others.map((other) => JSON.stringify(other.state)).join()}</i>
}

test.each(['in StrictMode', 'without it'])('a state is told while mounted and taken back after, %s', async (mode) => {
  rendered = await inMode(mode, within(<Here state={{ at: [1, 2] }} />))
  await others(bob, oneIs({ at: [1, 2] }))
  await rendered.unmount()
  rendered = undefined
  await others(bob, (list) => list.length === 0)
  expect(said).toEqual([{ at: [1, 2] }, null])
})

test('a state is sent once however often it is given, and another one takes its place', async () => {
  const handles: PresenceHandle[] = []
  const at = (state: unknown): ReactElement => within(<Here state={state} handles={handles} />)
  rendered = await render(at({ at: 1 }))
  await rendered.update(at({ at: 1 }))
  await act(() => handles[0]?.setState({ at: 1 }))
  // Each is seen before the next: of what follows at once only the last is sent.
  await others(bob, oneIs({ at: 1 }))
  await rendered.update(at({ at: 2 }))
  await others(bob, oneIs({ at: 2 }))
  await act(() => handles[0]?.setState({ at: 3 }))
  await others(bob, oneIs({ at: 3 }))
  await rendered.update(at({ at: 2 }))
  await rendered.update(at(undefined))
  await others(bob, (list) => list.length === 0)
  expect(said).toEqual([{ at: 1 }, { at: 2 }, { at: 3 }, null])
  expect(new Set(handles.map(({ setState }) => setState)).size).toBe(1)
})

test('what an event says is told, taken back on unmount, and nothing is told after that', async () => {
  const handles: PresenceHandle[] = []
  rendered = await render(within(<Here handles={handles} />))
  expect(said).toEqual([])
  await act(() => {
    handles[0]?.setState({ pointer: 1 })
    handles[0]?.setState({ pointer: 2 })
  })
  await others(bob, oneIs({ pointer: 2 }))
  await rendered.unmount()
  rendered = undefined
  await act(() => handles[0]?.setState({ pointer: 3 }))
  await others(bob, (list) => list.length === 0)
  expect(said).toEqual([{ pointer: 2 }, null])
})

test('a component that only watches says nothing, and renders again when the others change', async () => {
  const handles: PresenceHandle[] = []
  bob.sync.presence.set({ at: 1 })
  await others(ann, oneIs({ at: 1 }))
  rendered = await render(within(<Here handles={handles} />))
  expect(rendered.text()).toBe('{"at":1}')
  await rendered.update(within(<Here handles={handles} />))
  expect(handles[1]?.others).toBe(handles[0]?.others)
  bob.sync.presence.set({ at: 2 })
  await others(ann, oneIs({ at: 2 }))
  expect(rendered.text()).toBe('{"at":2}')
  await bob.close()
  await others(ann, (list) => list.length === 0)
  expect(rendered.text()).toBe('')
  expect(said).toEqual([])
})

test('of several components the last one speaks, and once it is gone the one before', async () => {
  const at = (dialog: boolean): ReactElement =>
    within(
      <>
        <Here state="page" />
        {dialog ? <Here state="dialog" /> : null}
        <Here />
      </>,
    )
  rendered = await render(at(false))
  await others(bob, oneIs('page'))
  await rendered.update(at(true))
  await others(bob, oneIs('dialog'))
  await rendered.update(at(false))
  await others(bob, oneIs('page'))
  expect(said).toEqual(['page', 'dialog', 'page'])
})

test.each(['in StrictMode', 'without it'])('what a child says as it is mounted counts, %s', async (mode) => {
  function Child({ say }: { say: (state: unknown) => void }): ReactElement {
    useEffect(() => say('child'), [say])
    return <i />
  }
  function Parent(): ReactElement {
    return <Child say={usePresence().setState} />
  }
  rendered = await inMode(mode, within(<Parent />))
  await others(bob, oneIs('child'))
  expect(said).toEqual(['child'])
})

test('with another store the state goes to its server, and is taken back from the one before', async () => {
  rendered = await render(within(<Here state="here" />))
  await others(bob, oneIs('here'))
  const other = await openScene(core)
  await settled(other)
  await rendered.update(within(<Here state="here" />, other))
  await others(bob, oneIs('here'))
  expect(said).toEqual(['here', null])
  await rendered.unmount()
  rendered = undefined
  await other.close()
})
