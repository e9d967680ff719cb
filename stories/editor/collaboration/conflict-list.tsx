import type { Conflict } from 'rowcast'
import type { Editor } from '../app/editor.ts'
import { focusWhatIsLeft } from './popover-focus.ts'
import { Popover } from './popover.tsx'
import { shortValue } from './short-value.ts'

/** The cells of the open draft that someone else changed, each to be kept or taken. */
export function ConflictList({
  editor,
  conflicts,
}: {
  readonly editor: Editor
  readonly conflicts: readonly Conflict[]
}) {
  const settle = (cells: readonly Conflict[], way: 'keep' | 'take'): void => {
    editor.attempt(() => {
      for (const cell of cells) editor.draft$.value?.[way](cell)
    })
    focusWhatIsLeft('conflicts')
  }
  return (
    <Popover
      title="Someone else changed what you edit"
      label={`${conflicts.length.toLocaleString('en')} changed by others`}
      testId="conflicts"
      side="right"
    >
      <table>
        <thead>
          <tr>
            <th>Property</th>
            <th>Yours</th>
            <th>Theirs</th>
            <td />
          </tr>
        </thead>
        <tbody>
          {conflicts.slice(0, 50).map((cell) => (
            <tr key={`${cell.table} ${String(cell.key)} ${cell.path}`} data-testid="conflict">
              <td>
                {cell.table === 'annotation' ? editor.nameOf(String(cell.key)) : cell.table}
                <span className="dim">{cell.path === '' ? ' (whole row)' : ` ${cell.path}`}</span>
              </td>
              <td>{shortValue(cell.mine)}</td>
              <td>{shortValue(cell.theirs)}</td>
              <td className="popover-actions">
                <button type="button" className="button button-small" onClick={() => settle([cell], 'keep')}>
                  Keep mine
                </button>
                <button type="button" className="button button-small" onClick={() => settle([cell], 'take')}>
                  Take theirs
                </button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {conflicts.length > 1 && (
        <div className="popover-actions">
          <button type="button" className="button button-small" onClick={() => settle(conflicts, 'take')}>
            Take all
          </button>
          <button
            type="button"
            className="button button-small button-primary"
            onClick={() => settle(conflicts, 'keep')}
          >
            Keep all mine
          </button>
        </div>
      )}
    </Popover>
  )
}
