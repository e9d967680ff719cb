import type { Meta, StoryObj } from '@storybook/react-vite'
import type { ReactElement } from 'react'
import { expect, within } from 'storybook/test'
import { Card, loadStore, storeOf, withStore } from './story-frame.tsx'
import { labels } from './story-store.ts'

const { DraftProvider, useDraft, useField, useFieldProps, useRow } = labels

const meta: Meta = { title: 'Drafts', loaders: [loadStore], decorators: [withStore] }
export default meta

function Fields(): ReactElement {
  const [size, setSize] = useField('label', 'oslo', 'text.size')
  return (
    <>
      <label>
        Name
        <input {...useFieldProps('label', 'oslo', 'name')} />
      </label>
      <label>
        Size
        <input
          type="range"
          min={8}
          max={48}
          value={size ?? 8}
          onChange={(event) => setSize(Number(event.target.value))}
        />
      </label>
    </>
  )
}

function Panel({ title }: { readonly title: string }): ReactElement {
  const { draft, isDirty, commit, cancel } = useDraft({ label: title })
  return (
    <DraftProvider draft={draft}>
      <Card title={title} badge={isDirty ? 'edited' : undefined}>
        <Fields />
        <div className="actions">
          <button className="primary" disabled={!isDirty} onClick={commit}>
            OK
          </button>
          <button disabled={!isDirty} onClick={cancel}>
            Cancel
          </button>
        </div>
      </Card>
    </DraftProvider>
  )
}

function Preview(): ReactElement {
  const row = useRow('label', 'oslo')
  return (
    <Card title="On the map">
      <span style={{ fontSize: row?.text.size, color: row?.color }}>{row?.name}</span>
    </Card>
  )
}

/** What is edited is seen everywhere at once; Cancel puts it back, OK makes one step of it. */
export const UseDraft: StoryObj = {
  render: () => (
    <>
      <Panel title="Edit" />
      <Preview />
    </>
  ),
  play: async ({ canvas, userEvent, loaded }) => {
    const store = storeOf(loaded)
    const map = within(await canvas.findByLabelText('On the map'))
    await userEvent.type(canvas.getByLabelText('Name'), ' S')
    await expect(map.getByText('Oslo S')).toBeVisible()
    await userEvent.click(canvas.getByText('Cancel'))
    await expect(map.getByText('Oslo')).toBeVisible()
    await userEvent.type(canvas.getByLabelText('Name'), ' C')
    await userEvent.click(canvas.getByText('OK'))
    await expect(store.table('label').get('oslo')?.name).toBe('Oslo C')
    store.history.undo()
    await expect(await map.findByText('Oslo')).toBeVisible()
  },
}

/** Two drafts over one row commit and cancel in any order. */
export const TwoPanels: StoryObj = {
  render: () => (
    <>
      <Panel title="Left" />
      <Panel title="Right" />
      <Preview />
    </>
  ),
  play: async ({ canvas, userEvent, loaded }) => {
    const left = within(await canvas.findByLabelText('Left'))
    const right = within(canvas.getByLabelText('Right'))
    await userEvent.type(left.getByLabelText('Name'), ' L')
    await expect(right.getByLabelText('Name')).toHaveValue('Oslo L')
    await userEvent.type(right.getByLabelText('Name'), ' R')
    await expect(left.getByLabelText('Name')).toHaveValue('Oslo L R')
    await userEvent.click(left.getByText('Cancel'))
    await expect(right.getByLabelText('Name')).toHaveValue('Oslo L R')
    await userEvent.click(right.getByText('Cancel'))
    await expect(left.getByLabelText('Name')).toHaveValue('Oslo')
    await expect(storeOf(loaded).table('label').get('oslo')?.name).toBe('Oslo')
  },
}
