import { type ActionDispatch, memo, type ReactElement, useMemo, useReducer } from 'react'
import { type Item, makeItems } from '../data.ts'
import { type Actions, Page, rowMarkup } from '../table.tsx'

interface State {
  readonly items: readonly Item[]
  readonly selected: number
}

type Step =
  | { readonly type: 'replace' | 'append'; readonly items: readonly Item[] }
  | { readonly type: 'update' | 'clear' | 'swap' }
  | { readonly type: 'select' | 'remove'; readonly id: number }

function reduce({ items, selected }: State, step: Step): State {
  switch (step.type) {
    case 'replace':
      return { items: step.items, selected: 0 }
    case 'append':
      return { items: [...items, ...step.items], selected }
    case 'update':
      return {
        items: items.map((item, at) => (at % 10 === 0 ? { ...item, label: `${item.label} !!!` } : item)),
        selected,
      }
    case 'clear':
      return { items: [], selected: 0 }
    case 'swap':
      return { items: items.length > 998 ? items.with(1, items[998]!).with(998, items[1]!) : items, selected }
    case 'select':
      return { items, selected: step.id }
    case 'remove':
      return { items: items.filter((item) => item.id !== step.id), selected }
  }
}

function actionsOn(dispatch: ActionDispatch<[Step]>): Actions {
  return {
    run: () => dispatch({ type: 'replace', items: makeItems(1_000) }),
    runLots: () => dispatch({ type: 'replace', items: makeItems(10_000) }),
    add: () => dispatch({ type: 'append', items: makeItems(1_000) }),
    update: () => dispatch({ type: 'update' }),
    clear: () => dispatch({ type: 'clear' }),
    swapRows: () => dispatch({ type: 'swap' }),
    select: (id) => dispatch({ type: 'select', id }),
    remove: (id) => dispatch({ type: 'remove', id }),
  }
}

interface RowProps {
  readonly item: Item
  readonly isSelected: boolean
  readonly actions: Actions
}

const Row = memo(({ item, isSelected, actions }: RowProps) => rowMarkup(item.id, item.label, isSelected, actions))

/** Plain React: all state in one reducer, the rows memoised. */
export function App(): ReactElement {
  const [{ items, selected }, dispatch] = useReducer(reduce, { items: [], selected: 0 })
  const actions = useMemo(() => actionsOn(dispatch), [])
  return (
    <Page actions={actions}>
      {items.map((item) => (
        <Row key={item.id} item={item} isSelected={item.id === selected} actions={actions} />
      ))}
    </Page>
  )
}
