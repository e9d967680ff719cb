import { useState } from 'react'
import type { HistoryStep } from 'rowcast'
import { ProjectHistory } from '../collaboration/project-history.tsx'
import { useHistory, useStore } from './editor-store.ts'
import type { Editor } from './editor.ts'
import { Icon } from './icons.tsx'
import { CloseButton } from './panel-layout-controls.tsx'
import { useDraftState } from './use-draft-state.ts'

const time = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' })

/** The steps, newest first: those undone above the line, those done below it. */
export function HistoryPanel({ editor }: { readonly editor: Editor }) {
  const store = useStore()
  const { undo, redo, steps } = useHistory()
  const { isDirty } = useDraftState(editor)
  const { done, undone } = steps
  const { collaboration } = editor
  const [all, setAll] = useState(collaboration !== undefined)
  const times = (count: number, step: () => unknown): void => {
    editor.attempt(() => {
      for (let n = 0; n < count; n++) step()
    })
  }
  return (
    <section className="side" aria-label="History">
      <header className="side-head">
        <Icon name="history" />
        <h2>History</h2>
        {collaboration ? (
          <div className="history-tabs" role="group" aria-label="Whose steps">
            <button type="button" aria-pressed={all} data-testid="history-all" onClick={() => setAll(true)}>
              All
            </button>
            <button type="button" aria-pressed={!all} data-testid="history-mine" onClick={() => setAll(false)}>
              Mine
            </button>
          </div>
        ) : (
          <span className="dim">{done.length > 0 ? done.length : ''}</span>
        )}
        {!all && (
          <button
            type="button"
            className="button button-ghost button-small"
            data-testid="history-clear"
            disabled={done.length + undone.length === 0}
            onClick={() => store.history.clear()}
          >
            Clear
          </button>
        )}
        <CloseButton layout={editor.layout} panel="history" />
      </header>
      {all && collaboration ? (
        <ProjectHistory editor={editor} collaboration={collaboration} />
      ) : (
        <ol className="steps">
          {undone.toReversed().map((step, index) => (
            <Step
              key={step.id}
              editor={editor}
              step={step}
              state="undone"
              disabled={isDirty}
              onGo={() => times(undone.length - index, redo)}
            />
          ))}
          {done.toReversed().map((step, index) => (
            <Step
              key={step.id}
              editor={editor}
              step={step}
              state={index === 0 ? 'current' : 'done'}
              disabled={isDirty}
              onGo={() => times(index, undo)}
            />
          ))}
          {done.length + undone.length > 0 ? (
            <li>
              <button
                type="button"
                className="step"
                data-state={done.length === 0 ? 'current' : 'done'}
                disabled={isDirty}
                onClick={() => times(done.length, undo)}
              >
                <span className="step-mark" />
                <span className="step-label dim">Opened</span>
              </button>
            </li>
          ) : (
            <li className="empty">
              {editor.readOnly ? 'A read-only project has no history.' : 'Each edit you OK becomes a step here.'}
            </li>
          )}
        </ol>
      )}
    </section>
  )
}

interface StepProps {
  readonly editor: Editor
  readonly step: HistoryStep
  readonly state: 'done' | 'current' | 'undone'
  readonly disabled: boolean
  readonly onGo: () => void
}

function Step({ editor, step, state, disabled, onGo }: StepProps) {
  const count = step.changes.changes.length
  return (
    <li>
      <button
        type="button"
        className="step"
        data-state={state}
        data-testid="history-step"
        disabled={disabled}
        title={`${count.toLocaleString('en')} ${count === 1 ? 'row' : 'rows'}: go to this step`}
        onClick={onGo}
      >
        <span className="step-mark" />
        <span className="step-label">{step.label ?? editor.labelOf(step.changes.changes)}</span>
        <time dateTime={new Date(step.at).toISOString()}>{time.format(step.at)}</time>
      </button>
    </li>
  )
}
