import type { ReactElement, ReactNode } from 'react'
import { type LabelStore, labels, openLabels } from './story-store.ts'
import './story.css'

/** Each story opens a store of its own. */
export async function loadStore(): Promise<{ readonly store: LabelStore }> {
  return { store: await openLabels() }
}

/** The store that `loadStore` has opened. */
export function storeOf(loaded: Readonly<Record<string, unknown>>): LabelStore {
  return loaded['store'] as LabelStore
}

/** The page around a story. */
export function Page({ children }: { readonly children: ReactNode }): ReactElement {
  return (
    <main className="story">
      <div className="panels">{children}</div>
    </main>
  )
}

/** Gives a story its store. */
export function withStore(
  Story: () => ReactNode,
  { loaded }: { readonly loaded: Readonly<Record<string, unknown>> },
): ReactElement {
  return (
    <labels.StoreProvider store={storeOf(loaded)}>
      <Page>
        <Story />
      </Page>
    </labels.StoreProvider>
  )
}

/** A panel with a title. */
export function Card({ title, badge, children }: CardProps): ReactElement {
  return (
    <section className="card" aria-label={title}>
      <header>
        <h2>{title}</h2>
        {badge === undefined ? null : <span className="badge">{badge}</span>}
      </header>
      {children}
    </section>
  )
}

interface CardProps {
  readonly title: string
  readonly badge?: string | undefined
  readonly children: ReactNode
}
