import { memo, type ReactElement } from 'react'
import { actions, store, StoreProvider, useRows, useValue } from '../rowcast-store.ts'
import type { Item } from '../data.ts'
import { Page, rowMarkup } from '../table.tsx'

const Row = memo(({ item, isSelected }: { readonly item: Item; readonly isSelected: boolean }) =>
  rowMarkup(item.id, item.label, isSelected, actions),
)

function Rows(): ReactElement[] {
  const items = useRows('item', { orderBy: 'place' })
  const selected = useValue('view', (view) => view.selected)
  return items.map((item) => <Row key={item.id} item={item} isSelected={item.id === selected} />)
}

/** rowcast: one live query, whose unchanged rows are the same objects, over memoised rows. */
export function App(): ReactElement {
  return (
    <StoreProvider store={store}>
      <Page actions={actions}>
        <Rows />
      </Page>
    </StoreProvider>
  )
}
