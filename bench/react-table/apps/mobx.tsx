import { action, makeObservable, observable, observableRef, observableShallow } from 'virtual:peers/mobx'
import { observer } from 'virtual:peers/mobx-react-lite'
import type { ReactElement } from 'react'
import { type Item, makeItems } from '../data.ts'
import { type Actions, Page, rowMarkup } from '../table.tsx'

class Row {
  readonly id: number
  label: string
  isSelected = false

  constructor({ id, label }: Item) {
    this.id = id
    this.label = label
    makeObservable(this, { label: observable, isSelected: observable })
  }
}

class State {
  rows: Row[] = []
  selected: Row | undefined = undefined

  constructor() {
    // Rows are observable themselves, and held by reference.
    makeObservable(this, { rows: observableShallow, selected: observableRef })
  }
}

const state = new State()

function makeRows(count: number): Row[] {
  return makeItems(count).map((item) => new Row(item))
}

function replace(rows: Row[]): void {
  state.rows = rows
  state.selected = undefined
}

function find(id: number): Row {
  return state.rows.find((row) => row.id === id)!
}

const actions: Actions = {
  run: action(() => replace(makeRows(1_000))),
  runLots: action(() => replace(makeRows(10_000))),
  add: action(() => state.rows.push(...makeRows(1_000))),
  update: action(() => {
    for (let at = 0; at < state.rows.length; at += 10) state.rows[at]!.label += ' !!!'
  }),
  clear: action(() => replace([])),
  swapRows: action(() => {
    const { rows } = state
    if (rows.length > 998) [rows[1], rows[998]] = [rows[998]!, rows[1]!]
  }),
  select: action((id: number) => {
    if (state.selected) state.selected.isSelected = false
    state.selected = find(id)
    state.selected.isSelected = true
  }),
  remove: action((id: number) => state.rows.splice(state.rows.indexOf(find(id)), 1)),
}

const RowView = observer(({ row }: { readonly row: Row }) => rowMarkup(row.id, row.label, row.isSelected, actions))

const Rows = observer(() => state.rows.map((row) => <RowView key={row.id} row={row} />))

/** MobX: observable rows in a shallow list, the list and each row an observer. */
export function App(): ReactElement {
  return (
    <Page actions={actions}>
      <Rows />
    </Page>
  )
}
