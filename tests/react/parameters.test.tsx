import { type ReactElement, StrictMode, useLayoutEffect, useMemo, useState } from 'react'
import { sql } from 'rowcast'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { act, render, type Rendered } from '../support/react-render.ts'
import { type EditorStore, editor, openEditor } from '../support/react-store.ts'

const { StoreProvider, useLive, useQuery, useRows, useStore } = editor

let store: EditorStore
let rendered: Rendered | undefined
/** Each commit: the id that was asked for, and those that were shown. */
let commits: (readonly [asked: string, shown: string])[]
let ask: (id: string) => void

beforeEach(async () => {
  store = await openEditor()
  commits = []
})

afterEach(async () => {
  await rendered?.unmount()
  rendered = undefined
  await store.close()
})

interface Named {
  readonly id: string
}

/** Each way to ask for the labels of one id, whose parameters a component changes. */
const ways: readonly (readonly [name: string, useLabels: (id: string) => readonly Named[]])[] = [
  ['useQuery', (id) => useQuery<Named>(sql`select id from label where id = ${id}`)],
  ['useRows', (id) => useRows('label', { where: { id } })],
  ['useRows with a window', (id) => useRows('label', { where: { id }, orderBy: '-rank', limit: 1 })],
  [
    'useLive',
    (id) => {
      const own = useStore()
      return useLive(useMemo(() => own.table('label').live({ where: { id } }), [own, id]))
    },
  ],
]

for (const strict of [false, true]) {
  describe.each(ways)(`%s${strict ? ' in StrictMode' : ''}`, (_name, useLabels) => {
    function Panel(): ReactElement {
      const [id, setId] = useState('a')
      const shown = useLabels(id)
        .map((label) => label.id)
        .join()
      ask = setId
      // Runs in each commit, before anything is painted.
      useLayoutEffect(() => {
        commits.push([id, shown])
      })
      return (
        <b>
          {id} {shown}
        </b>
      )
    }

    async function show(): Promise<Rendered> {
      const panel = (
        <StoreProvider store={store}>
          <Panel />
        </StoreProvider>
      )
      rendered = await render(strict ? <StrictMode>{panel}</StrictMode> : panel)
      return rendered
    }

    test('commits nothing of the query before when its parameters change', async () => {
      const { text } = await show()
      for (const id of ['b', 'c', 'nobody', 'a', 'b', 'b', 'c']) {
        await act(() => ask(id))
        expect(text()).toBe(`${id} ${id === 'nobody' ? '' : id}`)
      }
      expect(new Set(commits.map(String))).toEqual(new Set(['a,a', 'b,b', 'c,c', 'nobody,']))
    })

    test('commits nothing of it either when its rows change at the same time', async () => {
      const labels = store.table('label')
      const { text } = await show()
      await act(() => {
        ask('b')
        labels.set('a', 'rank', 50)
        labels.set('b', 'rank', 51)
      })
      await act(() => {
        labels.delete('b')
        ask('c')
        labels.set('c', 'slug', 'delta')
      })
      await act(() => {
        ask('a')
        ask('b')
      })
      await act(() => {
        labels.insert({ id: 'b', slug: 'beta' })
        ask('a')
        labels.delete('b')
      })
      expect(text()).toBe('a a')
      for (const [asked, shown] of commits) expect(['', asked]).toContain(shown)
      expect(new Set(commits.map(([asked]) => asked))).toEqual(new Set(['a', 'b', 'c']))
    })
  })
}
