import { useLayoutEffect, useRef, useState } from 'react'
import type { Editor } from '../app/editor.ts'
import { useFocusBack } from '../app/use-focus-back.ts'
import type { LogChange, LogEntry } from './database-calls.ts'
import { logLabel } from './log-label.ts'
import { NameForm } from './name-form.tsx'
import { shortValue } from './short-value.ts'

const time = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' })

interface LogItemProps {
  readonly entry: LogEntry
  readonly snapshot: string | undefined
  /** Whether it is the state of now. */
  readonly current: boolean
  readonly editor: Editor
  readonly onRollBack: () => void
  /** Called within the event of the click, or of the key. */
  readonly onFork: (name: string) => void
}

/** One transaction of the log: who, when, what; opened, its changes and what can be done from there. */
export function LogItem({ entry, snapshot, current, editor, onRollBack, onFork }: LogItemProps) {
  const [open, setOpen] = useState(false)
  const [forking, setForking] = useState(false)
  const forkButton = useFocusBack(forking)
  const item = useRef<HTMLLIElement>(null)
  // Opened at the lower edge it would show nothing of what can be done.
  useLayoutEffect(() => {
    if (open) item.current?.scrollIntoView({ block: 'nearest' })
  }, [open])
  const { by, name, at, changes, sequence } = entry
  const count = changes.length
  const label = logLabel(entry, editor)
  return (
    <li ref={item} className="log-item" data-open={open} data-testid="log-item" data-sequence={sequence}>
      <button
        type="button"
        className="step log-step"
        data-state={current ? 'current' : 'done'}
        aria-expanded={open}
        title={`${label} · state ${sequence} · ${new Date(at).toLocaleString('en-GB')}`}
        onClick={() => setOpen(!open)}
      >
        <span className="step-mark" />
        <span className="log-what">
          <span className="step-label">{label}</span>
          <span className="log-who">
            <span>{name ?? by ?? 'Someone'}</span>
            {count > 0 && <span>{` · ${count.toLocaleString('en')} ${count === 1 ? 'change' : 'changes'}`}</span>}
          </span>
        </span>
        {snapshot !== undefined && <span className="log-snapshot">{snapshot}</span>}
        <time dateTime={new Date(at).toISOString()}>{time.format(at)}</time>
      </button>
      {open && (
        <div className="log-detail">
          <ul>
            {changes.slice(0, 20).map((change) => (
              <Change key={`${change.table} ${String(change.key)}`} change={change} editor={editor} />
            ))}
            {count > 20 && <li className="dim">and {(count - 20).toLocaleString('en')} more</li>}
          </ul>
          {forking ? (
            <NameForm
              label="New project"
              action="Fork"
              pattern="[a-z0-9][a-z0-9_\-]{0,60}"
              onName={(name) => {
                setForking(false)
                onFork(name)
              }}
              onClose={() => setForking(false)}
            />
          ) : (
            <div className="popover-actions">
              <button
                ref={forkButton}
                type="button"
                className="button button-small"
                title="Make a project of its own from this state"
                data-testid="fork"
                onClick={() => setForking(true)}
              >
                Fork…
              </button>
              {!current && (
                <button
                  type="button"
                  className="button button-small"
                  title="Put the project back to this state, for everyone"
                  data-testid="roll-back"
                  onClick={onRollBack}
                >
                  Roll back…
                </button>
              )}
            </div>
          )}
        </div>
      )}
    </li>
  )
}

function Change({
  change: { table, key, op, before, after },
  editor,
}: {
  readonly change: LogChange
  readonly editor: Editor
}) {
  const name =
    table === 'annotation' ? editor.nameOf(String(key)) : table === 'scene' ? 'Scene' : `${table} ${String(key)}`
  const paths = [...new Set([...Object.keys(before), ...Object.keys(after)])]
  return (
    <li>
      <b>{name}</b>
      {op === 'update' ? (
        paths.slice(0, 6).map((path) => (
          <span key={path} className="log-cell">
            {path} <s>{shortValue(before[path])}</s> → {shortValue(after[path])}
          </span>
        ))
      ) : (
        <span className="log-cell">{op === 'insert' ? 'added' : 'deleted'}</span>
      )}
    </li>
  )
}
