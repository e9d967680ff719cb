import type { RejectedTransaction } from 'rowcast'
import type { Editor } from '../app/editor.ts'
import { focusWhatIsLeft } from './popover-focus.ts'
import { Popover } from './popover.tsx'

/** What the server refused, until it is tried again or given up. */
export function RejectedList({
  editor,
  rejected,
}: {
  readonly editor: Editor
  readonly rejected: readonly RejectedTransaction[]
}) {
  const settle = (way: () => void): void => {
    editor.attempt(way)
    focusWhatIsLeft('rejected')
  }
  return (
    <Popover title="Refused by the server" label={`${rejected.length} refused`} testId="rejected" side="left">
      <ul>
        {rejected.map((one) => (
          <li key={one.id} className="rejected" data-testid="rejected-item">
            <b>{one.label ?? 'Edit'}</b>
            <span className="dim">
              {one.changes.changes.length.toLocaleString('en')} {one.changes.changes.length === 1 ? 'row' : 'rows'}
            </span>
            <p>{one.reason}</p>
            <div className="popover-actions">
              <button type="button" className="button button-small" onClick={() => settle(() => one.discard())}>
                Discard
              </button>
              <button
                type="button"
                className="button button-small button-primary"
                onClick={() => settle(() => one.retry())}
              >
                Try again
              </button>
            </div>
          </li>
        ))}
      </ul>
    </Popover>
  )
}
