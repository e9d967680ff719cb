import fc from 'fast-check'
import { type ReactElement, StrictMode } from 'react'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { FieldProps } from 'rowcast/react'
import { act, blur, press, render, type Rendered, type } from '../support/react-render.ts'
import { type EditorStore, editor, openEditor } from '../support/react-store.ts'

const { StoreProvider, DraftProvider, useDraft, useFieldProps } = editor

type Name = 'slug' | 'rank' | 'note' | 'frame.style' | 'frame.inner.gap'

let store: EditorStore
let rendered: Rendered | undefined
let actions: { commit: () => unknown; cancel: () => void; write: (note: string) => void }
/** What reached the handler of the keys around the fields. */
let heard: string[]

beforeEach(async () => {
  store = await openEditor()
  heard = []
})

afterEach(async () => {
  await rendered?.unmount()
  rendered = undefined
  await store.close()
})

function Field({ name, testId }: { readonly name: Name; readonly testId: string }): ReactElement {
  const field: FieldProps = useFieldProps('label', 'a', name)
  // As texts: a number input of jsdom keeps no text that is no number.
  return (
    <label>
      <input {...field} type="text" data-testid={testId} />
      <em>{field.error}</em>
    </label>
  )
}

const FIELDS: readonly (readonly [id: string, name: 'slug' | 'rank' | 'note'])[] = [
  ['slug', 'slug'],
  ['slug again', 'slug'],
  ['rank', 'rank'],
]

function Form(): ReactElement {
  const { draft, commit, cancel } = useDraft()
  actions = { commit, cancel, write: (note) => draft.table('label').set('a', 'note', note) }
  return (
    <DraftProvider draft={draft}>
      <div
        onKeyDown={({ key }) => {
          heard.push(key)
          if (key === 'Escape') cancel()
        }}
      >
        {FIELDS.map(([id, name]) => (
          <Field key={id} name={name} testId={id} />
        ))}
      </div>
    </DraftProvider>
  )
}

async function show(strict = false): Promise<void> {
  const form = (
    <StoreProvider store={store}>
      <Form />
    </StoreProvider>
  )
  rendered = await render(strict ? <StrictMode>{form}</StrictMode> : form)
}

function input(id: string): HTMLInputElement {
  return rendered!.find(`[data-testid="${id}"]`)
}

function stored(name: 'slug' | 'rank' | 'note'): string {
  return String(store.table('label').get('a')?.[name] ?? '')
}

function expectStoreShown(): void {
  for (const [id, name] of FIELDS) expect([id, input(id).value]).toEqual([id, stored(name)])
  expect(rendered!.container.querySelectorAll('[aria-invalid]')).toHaveLength(0)
  expect(rendered!.text()).toBe('')
}

for (const order of ['typed, cancelled', 'typed, left, cancelled', 'typed, cancelled, left']) {
  test(`a refused text is gone once it is ${order}`, async () => {
    await show()
    for (const word of order.split(', ')) {
      if (word === 'typed') await type(input('slug'), 'x')
      else if (word === 'left') await blur(input('slug'))
      else await act(() => actions.cancel())
    }
    expectStoreShown()
  })
}

test('a refused text outlasts a commit, and is gone when the next draft is cancelled', async () => {
  await show()
  await type(input('rank'), '7')
  await type(input('slug'), 'x')
  await blur(input('slug'))
  await act(() => void actions.commit())
  expect(input('slug').value).toBe('x')
  expect(stored('rank')).toBe('7')
  await act(() => actions.cancel())
  expectStoreShown()
})

test('a draft that is cancelled while its provider keeps it is no longer to be seen in the fields', async () => {
  const draft = store.draft()
  rendered = await render(
    <StoreProvider store={store}>
      <DraftProvider draft={draft}>
        {FIELDS.map(([id, name]) => (
          <Field key={id} name={name} testId={id} />
        ))}
      </DraftProvider>
    </StoreProvider>,
  )
  await type(input('slug'), 'x')
  await type(input('rank'), '1.')
  await act(() => draft.cancel())
  expectStoreShown()
})

test('Escape gives up what was typed, refused or not, and leaves the rest of the draft', async () => {
  await show()
  await type(input('rank'), '7')
  await blur(input('rank'))
  for (const typed of [['x'], ['omega'], ['omega', 'x'], ['om', 'ome', 'omega']]) {
    for (const text of typed) await type(input('slug'), text)
    await press(input('slug'), 'Escape')
    expectStoreShown()
    expect([stored('slug'), stored('rank')]).toEqual(['alpha', '7'])
    expect(heard).toEqual([])
  }
  await press(input('slug'), 'Escape')
  expect(heard).toEqual(['Escape'])
  expect(stored('rank')).toBe('1')
  expectStoreShown()
})

test('Escape gives up nothing that was left, committed or written by others since', async () => {
  await show()
  await type(input('slug'), 'omega')
  await blur(input('slug'))
  await press(input('slug'), 'Escape')
  expect(heard).toEqual(['Escape'])
  expect(stored('slug')).toBe('alpha')

  await type(input('slug'), 'omega')
  await act(() => void actions.commit())
  await press(input('slug'), 'Escape')
  expect(heard).toHaveLength(2)
  expect(stored('slug')).toBe('omega')

  await type(input('slug'), 'mine')
  await type(input('slug again'), 'theirs')
  await press(input('slug'), 'Escape')
  expect(heard).toHaveLength(3)
  expect(stored('slug')).toBe('omega')
})

test('Escape that ends the composing of a text, and other keys, are not the field’s', async () => {
  await show()
  await type(input('slug'), 'x')
  await press(input('slug'), 'Escape', { isComposing: true })
  await press(input('slug'), 'Enter')
  expect(heard).toEqual(['Escape', 'Enter'])
})

test('a field that writes to the store itself is given up by Escape too', async () => {
  rendered = await render(
    <StoreProvider store={store}>
      <Field name="slug" testId="slug" />
    </StoreProvider>,
  )
  await type(input('slug'), 'omega')
  await type(input('slug'), 'x')
  await press(input('slug'), 'Escape')
  expect(input('slug').value).toBe('alpha')
  expect(stored('slug')).toBe('alpha')
})

test('Escape takes away the objects, too, that what is given up has made', async () => {
  rendered = await render(
    <StoreProvider store={store}>
      <Field name="frame.style" testId="style" />
      <Field name="frame.inner.gap" testId="gap" />
    </StoreProvider>,
  )
  const before = store.table('label').get('a')
  await type(input('style'), 'thin')
  await type(input('style'), 'thick')
  await press(input('style'), 'Escape')
  expect([input('style').value, rendered.text()]).toEqual(['', ''])
  expect(store.table('label').get('a')).toEqual(before)

  await type(input('style'), 'thin')
  await blur(input('style'))
  await type(input('gap'), '5')
  await press(input('gap'), 'Escape')
  expect([input('gap').value, input('style').value]).toEqual(['', 'thin'])
  expect(store.table('label').get('a')).toEqual({ ...before, frame: { style: 'thin' } })
})

const field = fc.constantFrom(...FIELDS.map(([id]) => id))
const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      op: fc.constant('type' as const),
      field,
      text: fc.constantFrom('', 'x', 'omega', 'alpha', '1', '1.', '1.0', '55', '-', '999'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('blur' as const), field }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('escape' as const), field }) },
  { weight: 2, arbitrary: fc.constant({ op: 'cancel' as const }) },
  fc.constant({ op: 'commit' as const }),
  fc.constant({ op: 'undo' as const }),
  fc.record({ op: fc.constant('outside' as const), slug: fc.constantFrom('alpha', 'other'), rank: fc.nat(9) }),
  fc.record({ op: fc.constant('draft' as const), note: fc.constantFrom('', 'n') }),
)

for (const strict of [false, true]) {
  test(`whatever is typed, left, pressed and changed elsewhere, a cancel shows the store${strict ? ', in StrictMode' : ''}`, async () => {
    await fc.assert(
      fc
        .asyncProperty(fc.array(step, { maxLength: 14 }), async (steps) => {
          await show(strict)
          for (const one of steps) {
            if (one.op === 'type') await type(input(one.field), one.text)
            else if (one.op === 'blur') await blur(input(one.field))
            else if (one.op === 'commit') await act(() => void actions.commit())
            else if (one.op === 'undo') await act(() => void store.history.undo())
            else if (one.op === 'draft') await act(() => actions.write(one.note))
            else if (one.op === 'outside') {
              await act(() => store.table('label').update('a', { slug: one.slug, rank: one.rank }))
            } else if (one.op === 'escape') {
              await press(input(one.field), 'Escape')
              const name = FIELDS.find(([id]) => id === one.field)![1]
              expect(input(one.field).value).toBe(stored(name))
              expect(input(one.field).hasAttribute('aria-invalid')).toBe(false)
            } else {
              await act(() => actions.cancel())
              expectStoreShown()
            }
          }
          await act(() => actions.cancel())
          expectStoreShown()
        })
        .afterEach(async () => {
          await rendered?.unmount()
          await store.close()
          store = await openEditor()
        }),
      { numRuns: 60 },
    )
  })
}
