import { sql } from 'rowcast'
import { memo, type ReactElement } from 'react'
import { actions, store, StoreProvider, useQuery, useRow, useValue } from '../rowcast-store.ts'
import { Page, rowMarkup } from '../table.tsx'

const Row = memo(({ id }: { readonly id: number }) => {
  const label = useRow('item', id, (row) => row.label)
  const isSelected = useValue('view', (view) => view.selected === id)
  return rowMarkup(id, label ?? '', isSelected ?? false, actions)
})

function Rows(): ReactElement[] {
  const ids = useQuery<{ readonly id: number }>(sql`select id from item order by place`)
  return ids.map(({ id }) => <Row key={id} id={id} />)
}

/** rowcast: a live list of ids, and each row component following its own row. */
export function App(): ReactElement {
  return (
    <StoreProvider store={store}>
      <Page actions={actions}>
        <Rows />
      </Page>
    </StoreProvider>
  )
}
