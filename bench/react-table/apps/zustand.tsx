import { create } from 'virtual:peers/zustand'
import { memo, type ReactElement } from 'react'
import { type Item, makeItems } from '../data.ts'
import { type Actions, Page, rowMarkup } from '../table.tsx'

interface State {
  readonly items: readonly Item[]
  readonly selected: number
}

const useTable = create<State>()(() => ({ items: [], selected: 0 }))
const { setState: set } = useTable

const actions: Actions = {
  run: () => set({ items: makeItems(1_000), selected: 0 }),
  runLots: () => set({ items: makeItems(10_000), selected: 0 }),
  add: () => set(({ items }) => ({ items: [...items, ...makeItems(1_000)] })),
  update: () =>
    set(({ items }) => ({
      items: items.map((item, at) => (at % 10 === 0 ? { ...item, label: `${item.label} !!!` } : item)),
    })),
  clear: () => set({ items: [], selected: 0 }),
  swapRows: () =>
    set(({ items }) => ({ items: items.length > 998 ? items.with(1, items[998]!).with(998, items[1]!) : items })),
  select: (id) => set({ selected: id }),
  remove: (id) => set(({ items }) => ({ items: items.filter((item) => item.id !== id) })),
}

const Row = memo(({ item }: { readonly item: Item }) => {
  const isSelected = useTable((state) => state.selected === item.id)
  return rowMarkup(item.id, item.label, isSelected, actions)
})

function Rows(): ReactElement[] {
  const items = useTable((state) => state.items)
  return items.map((item) => <Row key={item.id} item={item} />)
}

/** zustand: actions outside of the store, the list and each row's selection read through selectors. */
export function App(): ReactElement {
  return (
    <Page actions={actions}>
      <Rows />
    </Page>
  )
}
