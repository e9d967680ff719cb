import type { Meta, StoryObj } from '@storybook/react-vite'
import { type ReactElement, useMemo, useState } from 'react'
import { sql } from 'rowcast'
import { expect, waitFor } from 'storybook/test'
import { Card, loadStore, storeOf, withStore } from './story-frame.tsx'
import { labels } from './story-store.ts'

const {
  useChanges,
  useField,
  useFieldProps,
  useHistory,
  useLive,
  useQuery,
  useRow,
  useRows,
  useStore,
  useTable,
  useValue,
} = labels
const { useValueField, useValueFieldProps } = labels

const meta: Meta = { title: 'Hooks', loaders: [loadStore], decorators: [withStore] }
export default meta

function Row(): ReactElement {
  const name = useRow('label', 'oslo', (row) => row.name)
  const whole = useRow('label', 'oslo')
  return (
    <Card title="useRow" badge={whole?.kind}>
      <span className="big">{name}</span>
      <span className="note">{`rank ${whole?.rank}, ${whole?.text.size} px`}</span>
    </Card>
  )
}

/** One row, or what a selector makes of it. */
export const UseRow: StoryObj = {
  render: () => <Row />,
  play: async ({ canvas, loaded }) => {
    await expect(await canvas.findByText('Oslo')).toBeVisible()
    storeOf(loaded)
      .table('label')
      .update('oslo', { name: 'Kristiania', text: { size: 20 } })
    await expect(await canvas.findByText('Kristiania')).toBeVisible()
    await expect(canvas.getByText('rank 3, 20 px')).toBeVisible()
  },
}

function Stepper(): ReactElement {
  const [size, setSize] = useField('label', 'oslo', 'text.size')
  return (
    <Card title="useField" badge={`${size} px`}>
      <div className="actions">
        <button onClick={() => setSize((now) => (now ?? 16) - 1)}>Smaller</button>
        <button className="primary" onClick={() => setSize((now) => (now ?? 16) + 1)}>
          Larger
        </button>
      </div>
    </Card>
  )
}

/** One value and its setter. */
export const UseField: StoryObj = {
  render: () => <Stepper />,
  play: async ({ canvas, userEvent, loaded }) => {
    await userEvent.click(await canvas.findByText('Larger'))
    await userEvent.click(canvas.getByText('Larger'))
    await userEvent.click(canvas.getByText('Smaller'))
    await expect(canvas.getByText('17 px')).toBeVisible()
    await expect(storeOf(loaded).table('label').get('oslo')?.text.size).toBe(17)
  },
}

function Form(): ReactElement {
  const name = useFieldProps('label', 'oslo', 'name')
  const kind = useFieldProps('label', 'oslo', 'kind')
  return (
    <Card title="useFieldProps">
      <label>
        Name
        <input {...name} />
        <em role="status">{name.error}</em>
      </label>
      <label>
        Size
        <input {...useFieldProps('label', 'oslo', 'text.size')} />
      </label>
      <label>
        Kind
        <select {...kind}>
          {kind.options?.map(({ value, label }) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </select>
      </label>
      <label>
        Colour
        <input {...useFieldProps('label', 'oslo', 'color')} />
      </label>
      <label>
        Visible
        <input {...useFieldProps('label', 'oslo', 'visible')} />
      </label>
    </Card>
  )
}

/** Form controls, with what the JSON Schema says of them; a refused text stays in the field with its error. */
export const UseFieldProps: StoryObj = {
  render: () => <Form />,
  play: async ({ canvas, userEvent, loaded }) => {
    const name = await canvas.findByLabelText('Name', { exact: false })
    await userEvent.clear(name)
    await userEvent.type(name, 'X')
    await expect(name).toHaveValue('X')
    await expect(name).toBeInvalid()
    await expect(canvas.getByRole('status')).not.toBeEmptyDOMElement()
    await expect(storeOf(loaded).table('label').get('oslo')?.name).toBe('Oslo')
    await userEvent.selectOptions(canvas.getByLabelText('Kind'), 'port')
    await userEvent.click(canvas.getByLabelText('Visible'))
    await expect(storeOf(loaded).table('label').get('oslo')).toMatchObject({ kind: 'port', visible: false })
  },
}

function List(): ReactElement {
  const [min, setMin] = useState(1)
  const rows = useRows('label', { where: { rank: { gte: min } }, orderBy: '-rank' })
  return (
    <Card title="useRows" badge={`${rows.length} rows`}>
      <label>
        Least rank
        <input type="range" min={0} max={5} value={min} onChange={(event) => setMin(Number(event.target.value))} />
      </label>
      <ul>
        {rows.map((row) => (
          <li key={row.id}>
            <span className="dot" style={{ background: row.color }} />
            {row.name}
          </li>
        ))}
      </ul>
    </Card>
  )
}

/** The rows of a filter, in order, kept up to date. */
export const UseRows: StoryObj = {
  render: () => <List />,
  play: async ({ canvas, loaded }) => {
    await canvas.findByText('3 rows')
    storeOf(loaded).table('label').set('alta', 'rank', 9)
    await canvas.findByText('4 rows')
    await expect(canvas.getAllByRole('listitem')[0]).toHaveTextContent('Alta')
  },
}

function Totals(): ReactElement {
  const rows = useQuery<{ kind: string; n: number }>(
    sql`select kind, count(*) as n from label where rank >= ${0} group by kind order by kind`,
  )
  return (
    <Card title="useQuery">
      <ul>
        {rows.map(({ kind, n }) => (
          <li key={kind}>{`${kind}: ${n}`}</li>
        ))}
      </ul>
    </Card>
  )
}

/** The rows of an SQL query, kept up to date. */
export const UseQuery: StoryObj = {
  render: () => <Totals />,
  play: async ({ canvas, loaded }) => {
    await canvas.findByText('city: 2')
    storeOf(loaded).exec(sql`update label set kind = 'port' where rank < 2`)
    await expect(await canvas.findByText('port: 3')).toBeVisible()
    await expect(canvas.getByText('city: 1')).toBeVisible()
  },
}

function Top(): ReactElement {
  const store = useStore()
  const live = useMemo(() => store.table('label').live({ orderBy: '-rank', limit: 2 }), [store])
  const names = useLive(live).map((row) => row.name)
  return (
    <Card title="useLive">
      <span className="big">{names.join(', ')}</span>
    </Card>
  )
}

/** A live query that was made elsewhere. */
export const UseLive: StoryObj = {
  render: () => <Top />,
  play: async ({ canvas, loaded }) => {
    await canvas.findByText('Oslo, Bergen')
    storeOf(loaded).table('label').set('bodo', 'rank', 7)
    await expect(await canvas.findByText('Bodø, Oslo')).toBeVisible()
  },
}

function Undo(): ReactElement {
  const { undo, redo, canUndo, canRedo, steps } = useHistory()
  return (
    <Card title="useHistory" badge={useRow('label', 'oslo', (row) => row.name)}>
      <div className="actions">
        <button disabled={!canUndo} onClick={undo}>
          Undo
        </button>
        <button disabled={!canRedo} onClick={redo}>
          Redo
        </button>
      </div>
      <ul>
        {steps.done.map((step, index) => (
          <li key={index}>{step.label}</li>
        ))}
      </ul>
    </Card>
  )
}

/** What can be undone and redone. */
export const UseHistory: StoryObj = {
  render: () => <Undo />,
  play: async ({ canvas, userEvent, loaded }) => {
    const store = storeOf(loaded)
    store.transaction(() => store.table('label').set('oslo', 'name', 'Kristiania'), { label: 'Rename' })
    await canvas.findByText('Rename')
    await userEvent.click(canvas.getByText('Undo'))
    await expect(canvas.getByText('Oslo')).toBeVisible()
    await userEvent.click(canvas.getByText('Redo'))
    await expect(canvas.getByText('Kristiania')).toBeVisible()
  },
}

function Log(): ReactElement {
  const [lines, setLines] = useState<readonly string[]>([])
  useChanges('label', ({ updated }) => {
    setLines((was) => [...was, ...updated.map(({ key, after }) => `${String(key)} ${JSON.stringify(after)}`)])
  })
  return (
    <Card title="useChanges" badge={`${lines.length} changes`}>
      <ul>
        {lines.map((line, index) => (
          <li key={index}>{line}</li>
        ))}
      </ul>
    </Card>
  )
}

/** Each change, for what is not rendering. */
export const UseChanges: StoryObj = {
  render: () => <Log />,
  play: async ({ canvas, loaded }) => {
    await canvas.findByText('0 changes')
    storeOf(loaded).table('label').set('bergen', 'rank', 8)
    await expect(await canvas.findByText('bergen {"rank":8}')).toBeVisible()
  },
}

function Scene(): ReactElement {
  const title = useValue('scene', (scene) => scene.title)
  const [zoom, setZoom] = useValueField('scene', 'zoom')
  return (
    <Card title="useValue" badge={`zoom ${zoom}`}>
      <span className="big">{title}</span>
      <label>
        Title
        <input {...useValueFieldProps('scene', 'title')} />
      </label>
      <button onClick={() => setZoom((now) => (now ?? 1) * 2)}>Zoom in</button>
    </Card>
  )
}

/** A singleton: settings of the whole project. */
export const UseValue: StoryObj = {
  render: () => <Scene />,
  play: async ({ canvas, userEvent, loaded }) => {
    const title = await canvas.findByLabelText('Title')
    await userEvent.type(title, 'ern Norway')
    await userEvent.click(canvas.getByText('Zoom in'))
    await expect(canvas.getByText('Northern Norway')).toBeVisible()
    await expect(storeOf(loaded).value('scene').get()).toMatchObject({ title: 'Northern Norway', zoom: 2 })
  },
}

function Tools(): ReactElement {
  const store = useStore()
  const table = useTable('label')
  return (
    <Card title="useTable, useStore" badge={`${useRows('label').length} labels`}>
      <div className="actions">
        <button className="primary" onClick={() => table.insert({ id: 'tromso', name: 'Tromsø' })}>
          Add
        </button>
        <button onClick={() => store.transaction(() => table.delete(table.keys()), { label: 'Clear' })}>Clear</button>
      </div>
    </Card>
  )
}

/** The table and the store, for event handlers. */
export const UseTable: StoryObj = {
  render: () => <Tools />,
  play: async ({ canvas, userEvent }) => {
    await userEvent.click(await canvas.findByText('Add'))
    await waitFor(() => expect(canvas.getByText('5 labels')).toBeVisible())
    await userEvent.click(canvas.getByText('Clear'))
    await waitFor(() => expect(canvas.getByText('0 labels')).toBeVisible())
  },
}
