import type { ReactElement } from 'react'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { FieldProps } from 'rowcast/react'
import { act, blur, render, type Rendered, type } from '../support/react-render.ts'
import { type EditorStore, editor, openEditor } from '../support/react-store.ts'

const { StoreProvider, useFieldProps, useValueFieldProps } = editor

let store: EditorStore
let rendered: Rendered | undefined
let props: Record<string, FieldProps> = {}

beforeEach(async () => {
  store = await openEditor()
  props = {}
})

afterEach(async () => {
  await rendered?.unmount()
  rendered = undefined
  await store.close()
})

type Name =
  | 'slug'
  | 'note'
  | 'parent'
  | 'rank'
  | 'opacity'
  | 'visible'
  | 'kind'
  | 'color'
  | 'day'
  | 'contact'
  | 'link'
  | 'count'
  | 'text.value'
  | 'text.font.size'
  | 'points.0.x'

function Field({ name, id = 'a' }: { name: Name; id?: string | undefined }): ReactElement {
  const field = useFieldProps('label', id, name)
  props[name] = field
  return (
    <label>
      {field.options === undefined ? (
        <input {...field} />
      ) : (
        <select {...field}>
          {field.options.map(({ value, label }) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </select>
      )}
      <em>{field.error}</em>
    </label>
  )
}

async function show(...names: Name[]): Promise<Rendered> {
  const fields = names.map((name) => <Field key={name} name={name} />)
  rendered = await render(<StoreProvider store={store}>{fields}</StoreProvider>)
  return rendered
}

test('a field has the attributes that its JSON Schema gives it, and spreads without a warning', async () => {
  const warnings = vi.spyOn(console, 'error').mockImplementation(() => undefined)
  await show('slug', 'rank', 'opacity', 'visible', 'kind', 'color', 'day', 'contact', 'link', 'points.0.x')
  const { onChange: _change, onBlur: _blur, ...slug } = { ...props['slug'] }
  expect(slug).toEqual({
    name: 'slug',
    type: 'text',
    value: 'alpha',
    minLength: 2,
    maxLength: 8,
    pattern: '^[a-z]+$',
    required: true,
  })
  expect(props['rank']).toMatchObject({ type: 'number', value: '1', min: 0, max: 99, step: 1 })
  expect(props['rank']).not.toHaveProperty('required')
  expect(props['opacity']).toMatchObject({ type: 'number', value: '', min: 0, max: 1, step: 0.25 })
  expect(props['visible']).toMatchObject({ type: 'checkbox', checked: true })
  expect(props['visible']).not.toHaveProperty('value')
  expect(props['kind']?.options).toEqual([
    { value: 'pin', label: 'pin' },
    { value: 'area', label: 'area' },
  ])
  expect(props['color']).toMatchObject({ type: 'color', value: '#ff0000' })
  expect(props['day']).toMatchObject({ type: 'date', value: '' })
  expect(props['contact']).toMatchObject({ type: 'email' })
  expect(props['link']).toMatchObject({ type: 'url' })
  expect(props['points.0.x']).toMatchObject({ type: 'number', value: '1', step: 'any', required: true })
  expect(warnings).not.toHaveBeenCalled()
  warnings.mockRestore()
})

test('what is typed reaches the store, a checkbox and a select too', async () => {
  const { find, container } = await show('slug', 'visible', 'kind')
  await type(find('[name=slug]'), 'omega')
  await act(() => find('[name=visible]').click())
  await act(() => {
    const select = find<HTMLSelectElement>('select')
    select.value = 'area'
    select.dispatchEvent(new Event('change', { bubbles: true }))
  })
  expect(store.table('label').get('a')).toMatchObject({ slug: 'omega', visible: false, kind: 'area' })
  expect(container.querySelectorAll('[aria-invalid]')).toHaveLength(0)
})

test('an invalid text stays in the field with its error, and the store keeps the last valid value', async () => {
  const { find, text } = await show('slug')
  const input = find('[name=slug]')
  await type(input, 'alp')
  await type(input, 'a')
  expect(input.value).toBe('a')
  expect(input.getAttribute('aria-invalid')).toBe('true')
  expect(text()).toContain('2 characters')
  expect(store.table('label').get('a')?.slug).toBe('alp')
  await blur(input)
  expect(input.value).toBe('a')
  await type(input, 'ab')
  expect(input.hasAttribute('aria-invalid')).toBe(false)
  expect(text()).toBe('')
  expect(store.table('label').get('a')?.slug).toBe('ab')
})

test('a change from elsewhere waits while a refused text is edited, and replaces one that was left', async () => {
  const { find, text } = await show('slug')
  const input = find('[name=slug]')
  await type(input, 'x')
  await act(() => store.table('label').set('a', 'slug', 'other'))
  expect(input.value).toBe('x')
  await blur(input)
  expect(input.value).toBe('x')
  await act(() => store.table('label').set('a', 'slug', 'newest'))
  expect(input.value).toBe('newest')
  expect(text()).toBe('')
  // The refused text is gone for good, also when the value that it was typed over comes back.
  await act(() => store.table('label').set('a', 'slug', 'other'))
  expect(input.value).toBe('other')
})

test('a change from elsewhere replaces a text that the store has taken', async () => {
  const { find } = await show('note')
  const input = find('[name=note]')
  await type(input, 'mine')
  await act(() => void store.history.undo())
  expect(input.value).toBe('')
  await act(() => void store.history.redo())
  expect(input.value).toBe('mine')
})

test('a number does not jump while it is typed, and is put in order when the field is left', async () => {
  // As a text, of which the browser keeps back nothing that is typed.
  function Size(): ReactElement {
    const field = useFieldProps('label', 'a', 'text.font.size')
    return (
      <>
        <input {...field} type="text" inputMode="decimal" />
        {field.error}
      </>
    )
  }
  rendered = await render(
    <StoreProvider store={store}>
      <Size />
    </StoreProvider>,
  )
  const { find, text } = rendered
  const input = find('[name="text.font.size"]')
  for (const typed of ['1', '1.', '1.5', '1.50']) {
    await type(input, typed)
    expect(input.value).toBe(typed)
    expect(text()).toBe('')
  }
  expect(store.table('label').get('a')?.text.font.size).toBe(1.5)
  await blur(input)
  expect(input.value).toBe('1.5')
  await type(input, '')
  expect(input.value).toBe('')
  expect(store.table('label').get('a')?.text.font.size).toBe(12)
  await type(input, '-')
  expect(input.value).toBe('-')
  expect(text()).toBe('must be a number')
})

test('an empty text removes an optional property, is null where null is allowed, and is text where it falls back', async () => {
  store.table('label').update('a', { note: 'n', parent: 'b', text: { value: 'v' }, opacity: 0.5 })
  const { find } = await show('note', 'parent', 'text.value', 'opacity', 'slug', 'points.0.x')
  for (const name of ['note', 'parent', 'text.value', 'opacity', 'slug', 'points.0.x']) {
    await type(find(`[name="${name}"]`), '')
  }
  const row = store.table('label').get('a')
  expect(row).not.toHaveProperty('note')
  expect(row).not.toHaveProperty('opacity')
  expect(row).toMatchObject({ parent: null, text: { value: '' }, slug: 'alpha', points: [{ x: 1 }, { x: 2 }] })
  expect(props['slug']?.error).toBeDefined()
  expect(props['points.0.x']?.error).toBe('must be given')
})

test('whole numbers beyond 2^53 are typed exactly', async () => {
  const { find } = await show('count')
  await type(find('[name=count]'), '9007199254740993')
  expect(store.table('label').get('a')?.count).toBe(9007199254740993n)
})

test('another row in the same field takes nothing over from the one before', async () => {
  const { find, update, text } = await show('slug')
  await type(find('[name=slug]'), 'x')
  await update(<StoreProvider store={store}>{[<Field key="slug" name="slug" id="b" />]}</StoreProvider>)
  expect(find('[name=slug]').value).toBe('beta')
  expect(text()).toBe('')
  await update(<StoreProvider store={store}>{[<Field key="slug" name="slug" id="a" />]}</StoreProvider>)
  expect(find('[name=slug]').value).toBe('alpha')
})

test('a field without a row is disabled until there is one', async () => {
  rendered = await render(
    <StoreProvider store={store}>
      <Field name="note" id="d" />
      <Field name="slug" id={undefined} />
    </StoreProvider>,
  )
  expect(rendered.find('[name=note]').disabled).toBe(true)
  await act(() => void store.table('label').insert({ id: 'd', slug: 'delta' }))
  expect(rendered.find('[name=note]').disabled).toBe(false)
})

test("a singleton's property is bound the same way", async () => {
  function Zoom(): ReactElement {
    return <input {...useValueFieldProps('scene', 'zoom')} />
  }
  rendered = await render(
    <StoreProvider store={store}>
      <Zoom />
    </StoreProvider>,
  )
  const input = rendered.find('[name=zoom]')
  await type(input, '3')
  expect(store.value('scene').get()?.zoom).toBe(3)
  await type(input, '-3')
  expect(input.getAttribute('aria-invalid')).toBe('true')
  expect(store.value('scene').get()?.zoom).toBe(3)
})
