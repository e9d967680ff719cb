import type { RejectedTransaction } from 'rowcast'
import type { Editor } from '../app/editor.ts'

/** What the server refused, until it is tried again or given up. */
export function RejectedList({
  editor,
  rejected,
}: {
  readonly editor: Editor
  readonly rejected: readonly RejectedTransaction[]
}) {
  return (
    <details className="popover" data-testid="rejected">
      <summary className="popover-open popover-bad">{rejected.length} refused</summary>
      <div className="popover-body">
        <h3>Refused by the server</h3>
        <ul>
          {rejected.map((one) => (
            <li key={one.id} className="rejected" data-testid="rejected-item">
              <b>{one.label ?? 'Edit'}</b>
              <span className="dim">
                {one.changes.changes.length.toLocaleString('en')} {one.changes.changes.length === 1 ? 'row' : 'rows'}
              </span>
              <p>{one.reason}</p>
              <div className="popover-actions">
                <button
                  type="button"
                  className="button button-small"
                  onClick={() => editor.attempt(() => one.discard())}
                >
                  Discard
                </button>
                <button
                  type="button"
                  className="button button-small button-primary"
                  onClick={() => editor.attempt(() => one.retry())}
                >
                  Try again
                </button>
              </div>
            </li>
          ))}
        </ul>
      </div>
    </details>
  )
}
