import type { Meta, StoryObj } from '@storybook/react-vite'
import type { ReactElement } from 'react'
import { expect } from 'storybook/test'
import { Card, loadStore, Page, storeOf } from './story-frame.tsx'
import { type LabelStore, labels } from './story-store.ts'

const { StoreProvider, useRows } = labels

interface Opening {
  readonly promise: Promise<LabelStore>
  readonly open: () => void
}

async function loadOpening(): Promise<Opening & { readonly store: LabelStore }> {
  const { store } = await loadStore()
  const { promise, resolve } = Promise.withResolvers<LabelStore>()
  return { store, promise, open: () => resolve(store) }
}

const meta: Meta = { title: 'StoreProvider', loaders: [loadOpening] }
export default meta

function Count(): ReactElement {
  return (
    <Card title="Open">
      <span className="big">{`${useRows('label').length} labels`}</span>
    </Card>
  )
}

const fallback = (
  <Card title="Opening">
    <span className="note">The database is on its way…</span>
  </Card>
)

/** An open store. */
export const WithStore: StoryObj = {
  render: (_args, { loaded }) => (
    <StoreProvider store={storeOf(loaded)}>
      <Page>
        <Count />
      </Page>
    </StoreProvider>
  ),
  play: async ({ canvas }) => {
    await expect(await canvas.findByText('4 labels')).toBeVisible()
  },
}

/** A promise of a store: the fallback is shown while it opens. */
export const WithPromise: StoryObj = {
  render: (_args, { loaded }) => (
    <Page>
      <StoreProvider store={(loaded as unknown as Opening).promise} fallback={fallback}>
        <Count />
      </StoreProvider>
    </Page>
  ),
  play: async ({ canvas, loaded }) => {
    await expect(await canvas.findByText('Opening')).toBeVisible()
    ;(loaded as unknown as Opening).open()
    await expect(await canvas.findByText('4 labels')).toBeVisible()
    await expect(canvas.queryByText('Opening')).toBeNull()
  },
}
