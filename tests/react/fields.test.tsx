import type { ReactElement } from 'react'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { ErrorMessages, FieldProps } from 'rowcast/react'
import { act, blur, press, render, type Rendered, type } from '../support/react-render.ts'
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
  | 'shape'
  | 'level'
  | 'locked'
  | 'signed'
  | 'agreed'
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
  const { onChange: _change, onBlur: _blur, onKeyDown: _key, ...slug } = { ...props['slug'] }
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

async function choose(select: HTMLSelectElement, value: string): Promise<void> {
  await act(() => {
    select.value = value
    select.dispatchEvent(new Event('change', { bubbles: true }))
  })
}

test('a value that is absent is shown as absent in a select, and is absent again once that is chosen', async () => {
  const { find } = await show('shape', 'level', 'kind')
  const shape = find<HTMLSelectElement>('[name=shape]')
  expect([shape.value, shape.selectedIndex]).toEqual(['', 0])
  expect(Array.from(shape.options, ({ value }) => value)).toEqual(['', 'round', 'square'])
  await choose(shape, 'square')
  expect(store.table('label').get('a')?.shape).toBe('square')
  expect(props['shape']?.isAbsent).toBe(false)
  await choose(shape, '')
  expect(store.table('label').get('a')).not.toHaveProperty('shape')
  expect(shape.value).toBe('')
  expect(props['shape']).toMatchObject({ error: undefined, isAbsent: true })
  // The option of null is the empty one, and a default leaves nothing absent.
  expect(props['level']?.options?.map(({ value }) => value)).toEqual(['1', '2', ''])
  expect(find<HTMLSelectElement>('[name=level]').value).toBe('')
  expect(props['kind']?.options?.map(({ value }) => value)).toEqual(['pin', 'area'])
})

test('yes and no are chosen in a select and by radio buttons as they are by a checkbox, and are absent again', async () => {
  function Choices(): ReactElement {
    const { isAbsent, checked, name, onChange } = useFieldProps('label', 'a', 'locked')
    const shown = isAbsent ? '' : String(checked)
    return (
      <>
        <select data-testid="locked" name={name} value={shown} onChange={onChange}>
          {['', 'true', 'false'].map((value) => (
            <option key={value}>{value}</option>
          ))}
        </select>
        {['true', 'false'].map((value) => (
          <input
            key={value}
            type="radio"
            name="radio"
            value={value}
            checked={value === shown}
            onChange={onChange}
            data-testid={`radio ${value}`}
          />
        ))}
      </>
    )
  }
  rendered = await render(
    <StoreProvider store={store}>
      <Field name="signed" />
      <Field name="agreed" />
      <Choices />
    </StoreProvider>,
  )
  const { find } = rendered
  const signed = find<HTMLSelectElement>('[name=signed]')
  const locked = find<HTMLSelectElement>('[data-testid=locked]')
  expect(Array.from(signed.options, ({ text }) => text)).toEqual(['', 'yes', 'no'])
  for (const [value, stored] of [
    ['true', true],
    ['false', false],
    ['true', true],
    ['', undefined],
  ] as const) {
    await choose(signed, value)
    await choose(locked, value)
    expect([signed.value, locked.value]).toEqual([value, value])
    expect(store.table('label').get('a')?.signed).toBe(stored)
    expect(store.table('label').get('a')?.locked).toBe(stored)
  }
  await act(() => find('[data-testid="radio false"]').click())
  expect(store.table('label').get('a')?.locked).toBe(false)
  await act(() => find('[data-testid="radio true"]').click())
  expect(store.table('label').get('a')?.locked).toBe(true)
  expect(find('[name=agreed]')).toMatchObject({ type: 'checkbox', checked: false })
  await act(() => find('[name=agreed]').click())
  expect(store.table('label').get('a')?.agreed).toBe(true)
})

test('a select without a row shows nothing chosen', async () => {
  rendered = await render(
    <StoreProvider store={store}>
      <Field name="kind" id="d" />
    </StoreProvider>,
  )
  expect(rendered.find<HTMLSelectElement>('select').value).toBe('')
})

test('of radio buttons none is chosen while the value is absent, and a checkbox can tell that it is', async () => {
  function Radios(): ReactElement {
    const { options, value, name, onChange, onBlur } = useFieldProps('label', 'a', 'shape')
    return (
      <>
        {options?.map((option) => (
          <input
            key={option.value}
            type="radio"
            name={name}
            value={option.value}
            checked={option.value === value}
            onChange={onChange}
            onBlur={onBlur}
          />
        ))}
      </>
    )
  }
  function Locked(): ReactElement {
    const field = useFieldProps('label', 'a', 'locked')
    return (
      <input
        {...field}
        ref={(element) => {
          if (element) element.indeterminate = field.isAbsent
        }}
      />
    )
  }
  rendered = await render(
    <StoreProvider store={store}>
      <Radios />
      <Locked />
    </StoreProvider>,
  )
  const { find, container } = rendered
  const checked = (): string[] =>
    Array.from(container.querySelectorAll('[type=radio]:checked'), (one) => one.getAttribute('value') ?? '')
  expect(checked()).toEqual([''])
  await act(() => find('[value=round]').click())
  expect(checked()).toEqual(['round'])
  expect(store.table('label').get('a')?.shape).toBe('round')

  const locked = find('[name=locked]')
  expect([locked.indeterminate, locked.checked]).toEqual([true, false])
  await act(() => locked.click())
  expect([locked.indeterminate, locked.checked]).toEqual([false, true])
  await act(() => locked.click())
  expect(store.table('label').get('a')?.locked).toBe(false)
  expect([locked.indeterminate, locked.checked]).toEqual([false, false])
})

test('errors tell the keyword and its params, of the schema, of a constraint and of a text that is no value', async () => {
  const { find } = await show('slug', 'rank', 'opacity', 'count', 'points.0.x')
  async function errorsOf(name: Name, text: string): Promise<FieldProps['errors'] | undefined> {
    await type(find(`[name="${name}"]`), text)
    return props[name]?.errors
  }
  expect(await errorsOf('slug', 'x')).toEqual([
    { keyword: 'minLength', params: { limit: 2 }, path: 'slug', message: 'must NOT have fewer than 2 characters' },
  ])
  expect(await errorsOf('rank', '100')).toMatchObject([{ keyword: 'exclusiveMaximum', params: { limit: 100 } }])
  expect(await errorsOf('opacity', '0.3')).toMatchObject([{ keyword: 'multipleOf', params: { multipleOf: 0.25 } }])
  expect(await errorsOf('points.0.x', '')).toMatchObject([
    { keyword: 'required', params: { missingProperty: 'x' }, path: 'points.0.x', message: 'must be given' },
  ])
  expect(await errorsOf('slug', '1')).toMatchObject([{ keyword: 'minLength' }, { keyword: 'pattern' }])
  expect(props['slug']?.error).toContain('; ')
  expect(await errorsOf('slug', 'omega')).toEqual([])
  expect(props['slug']?.error).toBeUndefined()
})

test('texts of errors can be translated: of one field, and of all', async () => {
  function Slug(): ReactElement {
    const field = useFieldProps('label', 'a', 'slug', {
      errorMessages: { minLength: ({ params }) => `au moins ${String(params['limit'])}` },
    })
    props['slug'] = field
    return <input {...field} />
  }
  const german: ErrorMessages = ({ keyword, params }) =>
    keyword === 'minLength'
      ? `mindestens ${String(params['limit'])}`
      : keyword === 'pattern'
        ? 'nur a bis z'
        : undefined
  const page = (errorMessages: ErrorMessages | undefined): ReactElement => (
    <StoreProvider store={store} errorMessages={errorMessages}>
      <Slug />
      <StoreProvider store={store}>
        <Field name="rank" />
        <Field name="note" />
      </StoreProvider>
    </StoreProvider>
  )
  rendered = await render(page(german))
  await type(rendered.find('[name=slug]'), '1')
  expect(props['slug']?.error).toBe('au moins 2; nur a bis z')
  expect(props['slug']?.errors.map(({ message }) => message)).toEqual(['au moins 2', 'nur a bis z'])
  await type(rendered.find('[name=rank]'), '-1')
  expect(props['rank']?.error).toBe('must be >= 0')
  await rendered.update(page({ minimum: 'zu klein', pattern: 'a-z' }))
  expect(props['slug']?.error).toBe('au moins 2; a-z')
  expect(props['rank']?.error).toBe('zu klein')
})

test('what a browser has no value for is incomplete, and is gone from the control when it is given up', async () => {
  const { find } = await show('opacity')
  const input = find('[name=opacity]')
  // As a browser does with a text that is no number yet; jsdom has none.
  let shown = '1e'
  Object.defineProperty(input, 'validity', { get: () => ({ badInput: shown === '1e' }) })
  Object.defineProperty(input, 'value', {
    configurable: true,
    get: () => (shown === '1e' ? '' : shown),
    set: (text: string) => {
      shown = text
    },
  })
  await act(() => void input.dispatchEvent(new Event('input', { bubbles: true })))
  await act(() => props['opacity']!.onChange({ target: input }))
  expect(props['opacity']?.errors).toMatchObject([{ keyword: 'badInput', params: {} }])
  await press(input, 'Escape')
  expect(shown).toBe('')
  expect(props['opacity']?.error).toBeUndefined()
})
