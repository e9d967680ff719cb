import { memo, type ReactElement, type ReactNode } from 'react'

/** What the buttons and links of the page do. The same object throughout. */
export interface Actions {
  readonly run: () => void
  readonly runLots: () => void
  readonly add: () => void
  readonly update: () => void
  readonly clear: () => void
  readonly swapRows: () => void
  readonly select: (id: number) => void
  readonly remove: (id: number) => void
}

const buttons = [
  ['run', 'Create 1,000 rows', 'run'],
  ['runlots', 'Create 10,000 rows', 'runLots'],
  ['add', 'Append 1,000 rows', 'add'],
  ['update', 'Update every 10th row', 'update'],
  ['clear', 'Clear', 'clear'],
  ['swaprows', 'Swap Rows', 'swapRows'],
] as const

const Jumbotron = memo(({ actions }: { readonly actions: Actions }) => (
  <div className="jumbotron">
    <div className="row">
      <div className="col-md-6">
        <h1>Keyed table</h1>
      </div>
      <div className="col-md-6">
        <div className="row">
          {buttons.map(([id, title, action]) => (
            <div key={id} className="col-sm-6 smallpad">
              <button type="button" className="btn btn-primary btn-block" id={id} onClick={() => actions[action]()}>
                {title}
              </button>
            </div>
          ))}
        </div>
      </div>
    </div>
  </div>
))

/** The page around the rows. */
export function Page({ actions, children }: { readonly actions: Actions; readonly children: ReactNode }): ReactElement {
  return (
    <div className="container">
      <Jumbotron actions={actions} />
      <table className="table table-hover table-striped test-data">
        <tbody>{children}</tbody>
      </table>
      <span className="preloadicon glyphicon glyphicon-remove" aria-hidden="true" />
    </div>
  )
}

const cross = <span className="glyphicon glyphicon-remove" aria-hidden="true" />

/** The markup of one row: what the `Row` component of each app returns. */
export function rowMarkup(id: number, label: string, isSelected: boolean, actions: Actions): ReactElement {
  return (
    <tr className={isSelected ? 'danger' : ''}>
      <td className="col-md-1">{id}</td>
      <td className="col-md-4">
        <a onClick={() => actions.select(id)}>{label}</a>
      </td>
      <td className="col-md-1">
        <a onClick={() => actions.remove(id)}>{cross}</a>
      </td>
      <td className="col-md-6" />
    </tr>
  )
}
