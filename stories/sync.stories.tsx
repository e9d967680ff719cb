import type { Meta, StoryObj } from '@storybook/react-vite'
import { type ReactElement, useState } from 'react'
import { expect } from 'storybook/test'
import { Card, loadStore, withStore } from './story-frame.tsx'
import { labels } from './story-store.ts'

const { usePresence, useSyncStatus } = labels

// The store of these stories has no server: a server runs in Node.
const meta: Meta = { title: 'Sync', loaders: [loadStore], decorators: [withStore] }
export default meta

function Status(): ReactElement {
  const { state, reason, pending, rejected } = useSyncStatus()
  return (
    <Card title="useSyncStatus" badge={state}>
      <span className="big">{pending === 0 ? 'All saved' : `${pending} to be saved`}</span>
      <span className="note">{reason}</span>
      <ul>
        {rejected.map((one) => (
          <li key={one.id}>
            {`${one.label ?? 'A change'}: ${one.reason}`}
            <button onClick={() => one.retry()}>Retry</button>
            <button onClick={() => one.discard()}>Discard</button>
          </li>
        ))}
      </ul>
    </Card>
  )
}

/** How the store stands with its server: without one it is closed, and says so. */
export const UseSyncStatus: StoryObj = {
  render: () => <Status />,
  play: async ({ canvas }) => {
    await expect(await canvas.findByText('closed')).toBeVisible()
    await expect(canvas.getByText('the store was created without sync')).toBeVisible()
    await expect(canvas.getByText('All saved')).toBeVisible()
  },
}

function Here(): ReactElement {
  const [selected, select] = useState<string>()
  const { others, setState } = usePresence({ selected })
  return (
    <Card title="usePresence" badge={`${others.length} others`}>
      <span className="big">{selected ?? 'Nothing selected'}</span>
      <div className="actions">
        <button onClick={() => select('oslo')}>Select Oslo</button>
        <button onClick={() => setState(null)}>Hide</button>
      </div>
      <ul>
        {others.map(({ session, user, state }) => (
          <li key={session}>{`${user ?? 'Someone'} ${JSON.stringify(state)}`}</li>
        ))}
      </ul>
    </Card>
  )
}

/** Who else is here, and what they are told: without a server there is nobody to tell, and nothing breaks. */
export const UsePresence: StoryObj = {
  render: () => <Here />,
  play: async ({ canvas, userEvent }) => {
    await userEvent.click(await canvas.findByText('Select Oslo'))
    await userEvent.click(canvas.getByText('Hide'))
    await expect(canvas.getByText('oslo')).toBeVisible()
    await expect(canvas.getByText('0 others')).toBeVisible()
  },
}
