import { useState } from 'react'
import type { HistoryStep } from 'rowcast'
import { ProjectHistory } from '../collaboration/project-history.tsx'
import { useHistory, useStore } from './editor-store.ts'
import type { Editor } from './editor.ts'
import { Icon } from './icons.tsx'
import { CloseButton } from './panel-layout-controls.tsx'
import { useDraftState } from './use-draft-state.ts'

const time = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' })

/** What was done: by everyone, where others work on the project too, or here. */
export function HistoryPanel({ editor }: { readonly editor: Editor }) {
  const { steps } = useHistory()
  const { collaboration } = editor
  const [all, setAll] = useState(collaboration !== undefined)
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
          <span className="dim">{steps.done.length > 0 ? steps.done.length : ''}</span>
        )}
        <CloseButton layout={editor.layout} panel="history" />
      </header>
      {all && collaboration ? (
        <ProjectHistory editor={editor} collaboration={collaboration} />
      ) : (
        <MySteps editor={editor} />
      )}
    </section>
  )
}

/** The steps of one's own, newest first: those undone above the line, those done below it. */
function MySteps({ editor }: { readonly editor: Editor }) {
  const store = useStore()
  const { undo, redo, steps } = useHistory()
  const { isDirty } = useDraftState(editor)
  const { done, undone } = steps
  const count = done.length + undone.length
  const times = (number: number, step: () => unknown): void => {
    editor.attempt(() => {
      for (let n = 0; n < number; n++) step()
    })
  }
  const clear = async (): Promise<void> => {
    const sure = await editor.ask({
      title: 'Forget your history?',
      text:
        `${count === 1 ? 'Your step' : `Your ${count.toLocaleString('en')} steps`} can no longer be undone or redone. ` +
        `The project stays as it is${editor.collaboration ? ', and so does everyone’s history' : ''}.`,
      action: 'Forget',
    })
    if (!sure) return
    store.history.clear()
    // What had the focus is gone.
    const tab = document.querySelector<HTMLElement>('[data-testid=history-mine], [data-testid=close-history]')
    requestAnimationFrame(() => tab?.focus())
  }
  return (
    <>
      {count > 0 && (
        <div className="log-tools">
          <button
            type="button"
            className="button button-small"
            data-testid="history-clear"
            title="Forget these steps"
            onClick={() => void clear()}
          >
            Clear
          </button>
        </div>
      )}
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
        {count > 0 ? (
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
    </>
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
  const label = step.label ?? editor.labelOf(step.changes.changes)
  return (
    <li>
      <button
        type="button"
        className="step"
        data-state={state}
        data-testid="history-step"
        disabled={disabled}
        title={`${label} · ${count.toLocaleString('en')} ${count === 1 ? 'row' : 'rows'} · go to this step`}
        onClick={onGo}
      >
        <span className="step-mark" />
        <span className="step-label">{label}</span>
        <time dateTime={new Date(step.at).toISOString()}>{time.format(step.at)}</time>
      </button>
    </li>
  )
}
